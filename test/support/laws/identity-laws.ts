import assert from 'node:assert/strict';
import { recordCodecs } from '../../../shared/adapters/storage/record-rows.ts';
import type { AuditEvent } from '../../../shared/domain/audit.ts';
import { toHex } from '../../../shared/domain/encoding.ts';
import type { CertificateHead, CredentialKind, Identity } from '../../../shared/domain/identity.ts';
import { addMs, DAY_MS, HOUR_MS, later, SECOND_MS, wholeSecond } from '../../../shared/domain/instants.ts';
import { nextReminderAt } from '../../../shared/domain/reminders.ts';
import { isLeftToOthers, planCredential } from '../../../shared/domain/renewal-plan.ts';
import { RECORD_SHARDS, shardOf } from '../../../shared/domain/sharding.ts';
import { parseCertificate } from '../../../shared/pki/certificate.ts';
import { readActiveAuthority } from '../../../shared/use-cases/authorities.ts';
import { identityOf } from '../agent.ts';
import { allCertificates, assertDueRows } from '../inspect-world.ts';
import { noticeTokens } from './logins.ts';
import { CLIENTS, type Scene } from './small-world.ts';
import { statusOf } from './way-back.ts';

const FOREVER = new Date('2100-01-01T00:00:00Z');
const KINDS: readonly CredentialKind[] = ['certificate', 'token'];

/** Holds the world against every law that can be read off it. Whether the next step really helps, `takeWayBack` tries. */
export async function assertLaws(scene: Scene): Promise<void> {
  await noticeTokens(scene);
  await assertDueRows(scene.world);
  await assertCertificates(scene);
  for (const id of CLIENTS) {
    const identity = await identityOf(scene.world, id);
    await assertNextStep(scene, identity);
    await assertPlanned(scene, identity);
    if (identity.delivery === 'vault') await assertOnward(scene, identity);
    scene.before.set(id.name, identity);
  }
}

/** An identity is Healthy or Revoked, or status names a step that can be taken. */
async function assertNextStep(scene: Scene, identity: Identity): Promise<void> {
  const { state, nextStep } = await statusOf(scene, identity);
  const what = `${identity.name} is ${state} and told: ${nextStep.action}`;
  const now = wholeSecond(scene.world.clock.now());
  assert.equal(state === 'Revoked', identity.revokedAt !== null, what);
  assert.equal(nextStep.action === 'none', state === 'Healthy' || state === 'Revoked', what);
  assert.ok(nextStep.text.length > 0, what);
  if (nextStep.action === 'wait') assert.equal(identity.delivery, 'vault', what);
  if (nextStep.action === 'agent-login') {
    assert.equal(identity.delivery, 'agent', what);
    assert.ok(now <= identity.token.expiresAt, `${what}, and its token has ended`);
  }
  if (nextStep.action === 'operator-rotate') {
    assert.ok(!identity.autoRotate && now >= identity.token.rotateAfter, `${what}, and its token is not due`);
  }
}

/** Every credential of a live client is in the due index once, in time, and what is due is work or a reminder. */
async function assertPlanned(scene: Scene, identity: Identity): Promise<void> {
  if (identity.revokedAt !== null) return;
  const { clock, deps } = scene.world;
  const now = clock.now();
  const rows = await deps.identities.due(FOREVER, Number.POSITIVE_INFINITY);
  for (const kind of KINDS) {
    const mine = rows.filter((row) => row.kind === kind && row.identity.name === identity.name);
    const isFirstLogin = identity.certificate.head === null && identity.delivery === 'agent';
    const expected = kind === 'certificate' && isFirstLogin ? 0 : 1;
    assert.equal(mine.length, expected, `the ${kind} of ${identity.name} has ${mine.length} due rows`);
    const entry = planCredential(identity, kind, now);
    if (entry.dueAt <= now) assert.notEqual(entry.action, 'none', entry.text);
    const [row] = mine;
    if (row === undefined) continue;
    if (row.dueAt <= now) assert.notEqual(entry.action, 'none', `a scan would find: ${entry.text}`);
    // A message that was sent gets an hour of patience, a reminder has its own times, and nothing else moves the row.
    const reminder = isLeftToOthers(identity, kind) ? nextReminderAt(identity, kind, now) : null;
    const latest = later(entry.dueAt, reminder ?? addMs(now, HOUR_MS));
    assert.ok(row.dueAt <= latest, `the ${kind} of ${identity.name} comes up after it is due`);
  }
}

/** No renewal ends earlier than what it replaces, or the policy was shortened and the event of the renewal says so. */
async function assertOnward(scene: Scene, identity: Identity): Promise<void> {
  const { head } = identity.certificate;
  const before = scene.before.get(identity.name)?.certificate.head ?? null;
  if (head === null || head.serialNumber === before?.serialNumber) return;
  const authority = await readActiveAuthority(scene.world.deps);
  const { details } = await eventOf(scene, identity, head);
  const isCut =
    head.notAfter.getTime() === authority.notAfter.getTime() &&
    lifeDays(head) < scene.policy.certificateValidityDays;
  assert.equal(details['endsWithAuthority'] ?? false, isCut, 'a renewal says whether the authority cut it');
  const isBackward = before !== null && head.notAfter < before.notAfter;
  // Between two looks the head may have moved twice, and each event speaks of its own step.
  if (before !== null && head.renewCount !== before.renewCount + 1) return;
  assert.equal(details['endsBeforePredecessor'] ?? false, isBackward, 'a renewal says when it ends earlier');
  if (isBackward)
    assert.ok(wasShortened(scene, before), 'a renewal ends earlier, and no policy asked for it');
}

async function eventOf({ world }: Scene, identity: Identity, head: CertificateHead): Promise<AuditEvent> {
  const shard = String(shardOf(identity.cluster, RECORD_SHARDS)).padStart(2, '0');
  const rows = await world.tables.record.range(shard, 'o|', 'o}', Number.POSITIVE_INFINITY);
  const found = rows
    .map((row) => recordCodecs.event.decode(row))
    .find(({ type, target }) => type.startsWith('certificate-') && target.serialNumber === head.serialNumber);
  assert.ok(found !== undefined, `nothing tells how ${head.serialNumber} came into force`);
  return found;
}

function lifeDays({ issuedAt, notAfter }: CertificateHead): number {
  return (notAfter.getTime() - issuedAt.getTime() + SECOND_MS) / DAY_MS;
}

/** Whether the policy was shorter than this certificate's life at any time since it was issued. */
function wasShortened({ policies }: Scene, head: CertificateHead): boolean {
  return policies.some(
    ({ days }, i) => (policies[i + 1]?.from ?? FOREVER) >= head.issuedAt && days < lifeDays(head),
  );
}

/** Every certificate that anybody got to see has a serial number of its own and lies inside its authority's dates. */
async function assertCertificates(scene: Scene): Promise<void> {
  const { clientVault, deps } = scene.world;
  const authority = await readActiveAuthority(deps);
  const inVault = clientVault.names().flatMap((name) => clientVault.versions(name).map(({ der }) => der));
  const recorded = (await allCertificates(scene.world)).map(({ der }) => der);
  const known = new Set(scene.serials.values());
  for (const der of [...inVault, ...recorded, ...scene.answered]) {
    const hex = toHex(der);
    if (known.has(hex)) continue;
    const { serialNumber, notBefore, notAfter } = parseCertificate(der);
    assert.ok(!scene.serials.has(serialNumber), `two certificates have the serial number ${serialNumber}`);
    assert.ok(notBefore >= authority.notBefore && notAfter <= authority.notAfter, 'outside the authority');
    scene.serials.set(serialNumber, hex);
    known.add(hex);
  }
}
