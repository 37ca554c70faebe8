import assert from 'node:assert/strict';
import type { AuditEvent } from '../../../shared/domain/audit.ts';
import { type CertificateRecord, VAULT_INSTANCE } from '../../../shared/domain/identity.ts';
import { identityText } from '../../../shared/domain/names.ts';
import { parseCertificate } from '../../../shared/pki/certificate.ts';
import { renewCountOf } from '../../../shared/pki/line-extensions.ts';
import { OID } from '../../../shared/pki/oids.ts';
import type { Change } from '../../../shared/ports/identity-store.ts';
import type { Deps } from '../../../shared/use-cases/deps.ts';
import { interceptPorts } from '../intercepted-ports.ts';
import type { FleetMemory } from './fleet-memory.ts';

/**
 * The same world, in which every transaction is held against the laws at the moment at which it has happened: what a
 * later look at the record cannot tell.
 */
export function watchCommits(deps: Deps, memory: FleetMemory): Deps {
  return interceptPorts(deps, async ({ port, method, args }, proceed) => {
    const before = port === 'identities' && method === 'commit' ? await headsBefore(deps, args[1]) : [];
    const answer = await proceed();
    noteEvents(memory, args);
    if (port === 'identities' && method === 'countEvent') noteEvent(memory, args[0] as AuditEvent);
    if (port !== 'identities' || method !== 'commit') return answer;
    try {
      await assertCommit(deps, memory, args[1] as readonly Change[]);
      for (const check of before) check();
    } catch (error) {
      // Whatever the product makes of it: who lives the life looks here.
      memory.violations.push(error);
      throw error;
    }
    return answer;
  });
}

/** Every event that a call has written, wherever it stands among the arguments. */
function noteEvents(memory: FleetMemory, value: unknown): void {
  if (Array.isArray(value)) for (const one of value) noteEvents(memory, one);
  if (typeof value !== 'object' || value === null || !('kind' in value) || value.kind !== 'event') return;
  noteEvent(memory, (value as unknown as { value: AuditEvent }).value);
}

function noteEvent(memory: FleetMemory, { id, count }: AuditEvent): void {
  memory.events.set(id, (memory.events.get(id) ?? 0) + count);
}

/** A vault's head is followed by one that counts one renewal more. Read before the commit, checked after it. */
async function headsBefore(deps: Deps, changes: unknown): Promise<(() => void)[]> {
  const checks: (() => void)[] = [];
  for (const change of changes as readonly Change[]) {
    if (change.kind !== 'identity' || change.op !== 'replace' || change.value.delivery !== 'vault') continue;
    const { incarnation, certificate } = change.value;
    const earlier = (await deps.identities.identity(change.value))?.value ?? null;
    const head = earlier?.incarnation === incarnation ? earlier.certificate.head : null;
    const next = certificate.head;
    if (next === null || next.serialNumber === head?.serialNumber) continue;
    checks.push(() =>
      assert.equal(next.renewCount, (head?.renewCount ?? -1) + 1, 'a vault’s renewal counts one more'),
    );
  }
  return checks;
}

async function assertCommit(deps: Deps, memory: FleetMemory, changes: readonly Change[]): Promise<void> {
  for (const change of changes) {
    if (change.kind === 'certificate') await assertIssued(deps, memory, change.value, changes);
    if (change.kind === 'token' && change.op === 'replace') {
      memory.assertUsable(change.value.identity, change.value.generation);
    }
    if (change.kind === 'event' && change.value.type === 'instance-locked') {
      const { identity, details } = change.value;
      const line = `${identityText(identity)} ${details['instance']}`;
      assert.ok(memory.stolenLines.has(line), `${line} was locked, and nobody had copied its key`);
    }
  }
}

async function assertIssued(
  deps: Deps,
  memory: FleetMemory,
  record: CertificateRecord,
  changes: readonly Change[],
): Promise<void> {
  memory.assertIssuable(record, 'at the commit');
  const identity = (await deps.identities.identity(record.identity))?.value;
  assert.ok(identity !== undefined);
  assert.equal(identity.revokedAt, null, 'a certificate for a revoked identity');
  assert.equal(identity.deletedAt, null, 'a certificate for a deleted identity');
  assert.equal(record.incarnation, identity.incarnation, 'a certificate for an earlier incarnation');
  if (record.instance !== VAULT_INSTANCE) await assertInLine(deps, memory, record, changes);
  memory.known.set(record.serialNumber, record);
}

/** A login begins a count anew; a renewal counts one more than the head, and carries the line's first certificate. */
async function assertInLine(
  deps: Deps,
  memory: FleetMemory,
  record: CertificateRecord,
  changes: readonly Change[],
): Promise<void> {
  const line = (await deps.identities.instance(record.identity, record.instance))?.value;
  assert.ok(line !== undefined);
  assert.deepEqual([line.revokedAt, line.lockedAt], [null, null], 'a certificate in a line that is closed');
  const parsed = parseCertificate(record.der);
  const original = parsed.extensions.get(OID.originalCertificate)?.value ?? null;
  if (changes.some((change) => change.kind === 'event' && change.value.type === 'login')) {
    assert.equal(renewCountOf(parsed), 0, 'a login begins a line');
    assert.equal(original, null, 'the first certificate of a line carries none');
    return;
  }
  const head = memory.known.get(line.head.serialNumber);
  assert.ok(head !== undefined && line.successor?.serialNumber === record.serialNumber);
  const expected = renewCountOf(parseCertificate(head.der)) + 1;
  assert.equal(renewCountOf(parsed), expected, 'a renewal counts one more');
  const first = memory.known.get(line.originalSerialNumber ?? line.head.serialNumber);
  assert.deepEqual(original, first?.der, 'a renewal carries the first certificate of its line');
}
