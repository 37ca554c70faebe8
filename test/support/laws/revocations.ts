import assert from 'node:assert/strict';
import fc from 'fast-check';
import { isEverleafError } from '../../../shared/domain/errors.ts';
import {
  type CertificateRecord,
  MANAGEMENT_CLIENTS,
  VAULT_INSTANCE,
} from '../../../shared/domain/identity.ts';
import { SECOND_MS } from '../../../shared/domain/instants.ts';
import { type IdentityId, isSameIdentity } from '../../../shared/domain/names.ts';
import type { RevocationReason } from '../../../shared/domain/revocation.ts';
import { deleteIdentity } from '../../../shared/use-cases/delete-identity.ts';
import type { Deps } from '../../../shared/use-cases/deps.ts';
import { findRevocation } from '../../../shared/use-cases/find-revocation.ts';
import { issueLoginFile } from '../../../shared/use-cases/manage-identity.ts';
import { createOrRecreateIdentity } from '../../../shared/use-cases/recreate-identity.ts';
import { createRevocationRule, deleteRevocationRule } from '../../../shared/use-cases/revocation-rules.ts';
import { revoke } from '../../../shared/use-cases/revoke.ts';
import { readRotationKey } from '../../../shared/use-cases/tokens.ts';
import { identityOf, logIn, requestOf } from '../agent.ts';
import { dieBefore } from '../faults.ts';
import { allCertificates, assertDueRows } from '../inspect-world.ts';
import type { World } from '../memory-world.ts';
import { CLIENTS } from './small-world.ts';

/** One thing that may happen; `dies` is the call of a port before which the process dies, and it is done again then. */
export type Event = { readonly dies: number | null } & (
  | { readonly do: 'wait'; readonly seconds: number }
  | { readonly do: 'tick' | 'recreate' | 'rotate'; readonly client: number }
  | { readonly do: 'delete'; readonly client: number }
  | { readonly do: 'login'; readonly client: number; readonly token: number; readonly key: number }
  | {
      readonly do: 'revoke';
      readonly client: number;
      readonly what: 'identity' | 'instance' | 'certificate';
      readonly which: number;
      readonly reason: RevocationReason;
    }
  | { readonly do: 'rule'; readonly client: number; readonly secondsAgo: number | null }
  | { readonly do: 'take-rule-back' }
);

const client = fc.nat({ max: CLIENTS.length - 1 });
const dies = fc.option(fc.integer({ min: 1, max: 16 }), { nil: null, freq: 1 });
const is = <const T>(value: T) => fc.constant(value);
const reason = fc.constantFrom<RevocationReason>('unspecified', 'keyCompromise');

export const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: is('tick'), client, dies }) },
  {
    weight: 16,
    arbitrary: fc.record({
      ...{ do: is('login'), client, dies },
      ...{ token: fc.oneof(is(0), fc.nat({ max: 4 })), key: fc.nat({ max: 1 }) },
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: is('wait'),
      seconds: fc.oneof(fc.integer({ min: 1, max: 3600 }), fc.integer({ min: 1, max: 50 * 86_400 })),
      dies: is(null),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: is('rotate'), client, dies }) },
  {
    weight: 5,
    arbitrary: fc.record({
      ...{ do: is('revoke'), client, dies, reason, which: fc.nat({ max: 5 }) },
      what: fc.oneof(
        { weight: 1, arbitrary: is('identity') },
        { weight: 6, arbitrary: fc.constantFrom('instance', 'certificate') },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: is('delete'), client, dies }) },
  { weight: 3, arbitrary: fc.record({ do: is('recreate'), client, dies }) },
  {
    weight: 1,
    arbitrary: fc.record({
      ...{ do: is('rule'), client, dies: is(null) },
      secondsAgo: fc.option(fc.integer({ min: -86_400, max: 86_400 }), { nil: null }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: is('take-rule-back'), dies: is(null) }) },
);

/** What a bystander knows is revoked, who was told of every revocation and looks into no record for it. */
interface Bystander {
  /** Serial numbers that are revoked for good. */
  readonly serials: Set<string>;
  /** Keys that nothing may be issued for again. */
  readonly keys: Set<string>;
  /** Names of identities that nothing may be issued to. */
  readonly identities: Set<string>;
  rules: { id: string; name: string; before: Date | null }[];
  /** Every certificate that was issued, by serial number. */
  readonly known: Map<string, CertificateRecord>;
  readonly tokens: Map<string, string[]>;
}

/** A life in which things are revoked, made again and rotated; at every step nothing is issued to what is revoked. */
export async function liveWithRevocations(world: World, events: readonly Event[]): Promise<void> {
  const seen: Bystander = {
    serials: new Set(),
    keys: new Set(),
    identities: new Set(),
    rules: [],
    known: new Map(),
    tokens: new Map(),
  };
  for (const one of events) {
    if (one.dies !== null) {
      const { deps } = dieBefore(one.dies, world.deps);
      await happen(world, seen, one, deps).catch(() => undefined);
      await assertIssued(world, seen, one.do);
    }
    await happen(world, seen, one, world.deps).catch((error: unknown) => {
      if (!isEverleafError(error) || isEverleafError(error, 'Internal', 'LintFailed')) throw error;
    });
    note(seen, one);
    await assertIssued(world, seen, one.do);
    await assertFindings(world, seen);
    await assertDueRows(world);
  }
}

function clientAt(index: number): IdentityId {
  const id = CLIENTS[index];
  assert.ok(id !== undefined);
  return id;
}

async function happen(world: World, seen: Bystander, one: Event, deps: Deps): Promise<void> {
  const { run, clock } = world;
  switch (one.do) {
    case 'wait':
      return clock.advance(one.seconds * SECOND_MS);
    case 'tick':
      return world.tick(deps);
    case 'login': {
      const id = clientAt(one.client);
      const token = seen.tokens.get(id.name)?.at(-1 - one.token);
      // A login that died is taken over after 30 seconds.
      clock.advance(31 * SECOND_MS);
      if (token !== undefined) await logIn(world, token, requestOf(id, `${id.name} ${one.key}`), deps);
      return;
    }
    case 'rotate': {
      const id = clientAt(one.client);
      const { token } = await issueLoginFile(deps, run, id, false);
      seen.tokens.set(id.name, [...(seen.tokens.get(id.name) ?? []), token.reveal()]);
      return;
    }
    case 'revoke': {
      const id = clientAt(one.client);
      const target = revoked(seen, one);
      if (one.what !== 'identity' && target === undefined) return;
      const instance = one.what === 'instance' ? (target?.instance ?? null) : null;
      const serialNumber = one.what === 'certificate' ? (target?.serialNumber ?? null) : null;
      await revoke(deps, run, id, { instance, serialNumber }, one.reason);
      return;
    }
    case 'delete':
      return deleteIdentity(deps, run, clientAt(one.client));
    case 'recreate': {
      const template = MANAGEMENT_CLIENTS.find(({ name }) => name === clientAt(one.client).name);
      assert.ok(template !== undefined);
      const key = await readRotationKey(deps);
      const { isNew } = await createOrRecreateIdentity(deps, run, key, 'management', template);
      if (isNew) seen.identities.delete(template.name);
      return;
    }
    case 'rule': {
      const { name } = clientAt(one.client);
      const issuedBefore =
        one.secondsAgo === null ? null : new Date(clock.now().getTime() - one.secondsAgo * SECOND_MS);
      const { clientType } = await identityOf(world, clientAt(one.client));
      const criteria = { clientType, cluster: null, dnsName: null, issuedBefore };
      const { id } = await createRevocationRule(deps, run, criteria, 'unspecified');
      seen.rules.push({ id, name, before: issuedBefore });
      return;
    }
    case 'take-rule-back': {
      const rule = seen.rules.pop();
      if (rule !== undefined) await deleteRevocationRule(deps, run, rule.id);
    }
  }
}

/** The certificate that a revocation means: of the client's own, one that is chosen; lines of the vault are none. */
function revoked(seen: Bystander, one: Event & { do: 'revoke' }): CertificateRecord | undefined {
  const id = clientAt(one.client);
  const all = [...seen.known.values()].filter(({ identity }) => isSameIdentity(identity, id));
  const chosen = one.what === 'instance' ? all.filter(({ instance }) => instance !== VAULT_INSTANCE) : all;
  return chosen[chosen.length === 0 ? 0 : one.which % chosen.length];
}

/** What the bystander is told once a revocation has succeeded. A deleted identity takes no others. */
function note(seen: Bystander, one: Event): void {
  if (one.do !== 'revoke' && one.do !== 'delete') return;
  const id = clientAt(one.client);
  const mine = [...seen.known.values()].filter(({ identity }) => isSameIdentity(identity, id));
  if (one.do === 'delete' || one.what === 'identity') {
    seen.identities.add(id.name);
    for (const { serialNumber, spkiHash, instance } of mine) {
      seen.serials.add(serialNumber);
      // Lines end with their identity; the vault makes a new key for each certificate anyway.
      if (instance !== VAULT_INSTANCE) seen.keys.add(spkiHash);
    }
    return;
  }
  const target = revoked(seen, one);
  if (target === undefined || seen.identities.has(id.name)) return;
  const isEnded = ({ instance, serialNumber, spkiHash }: CertificateRecord) => {
    if (one.what === 'instance') return instance === target.instance;
    // Who has a compromised key proves nothing with any certificate for it.
    const isOfKey = one.reason === 'keyCompromise' && spkiHash === target.spkiHash;
    return serialNumber === target.serialNumber || isOfKey;
  };
  const ended = mine.filter(isEnded);
  for (const { serialNumber, spkiHash } of ended) {
    seen.serials.add(serialNumber);
    if (one.what === 'instance' || one.reason === 'keyCompromise') seen.keys.add(spkiHash);
  }
}

/** Whatever was issued since the last look was issued to somebody whom nothing revoked. */
async function assertIssued(world: World, seen: Bystander, what: string): Promise<void> {
  for (const certificate of await allCertificates(world)) {
    const { serialNumber, spkiHash, identity, issuedAt } = certificate;
    if (seen.known.has(serialNumber)) continue;
    const told = `${what}: ${identity.name} got a certificate`;
    assert.ok(!seen.identities.has(identity.name), `${told}, and is revoked`);
    assert.ok(!seen.keys.has(spkiHash), `${told} for a key that is revoked`);
    assert.ok(!isRuled(seen, certificate, issuedAt), `${told} against a rule`);
    seen.known.set(serialNumber, certificate);
  }
}

function isRuled({ rules }: Bystander, { identity }: CertificateRecord, issuedAt: Date): boolean {
  return rules.some(({ name, before }) => name === identity.name && (before === null || issuedAt < before));
}

/** Who accepts a certificate finds it revoked exactly when it is. */
async function assertFindings({ deps }: World, seen: Bystander): Promise<void> {
  for (const certificate of seen.known.values()) {
    const identity = await deps.identities.identity(certificate.identity);
    const line = await deps.identities.instance(certificate.identity, certificate.instance);
    assert.ok(identity !== null);
    const finding = await findRevocation(deps, identity.value, line?.value ?? null, certificate);
    const isRevoked =
      seen.serials.has(certificate.serialNumber) || isRuled(seen, certificate, certificate.issuedAt);
    assert.equal(finding !== null, isRevoked, `${certificate.serialNumber}: found ${finding}`);
  }
}
