import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recordCodecs } from '../../shared/adapters/storage/record-rows.ts';
import type { Identity } from '../../shared/domain/identity.ts';
import { addMs, DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { vaultAuthorityName, vaultCertificateName } from '../../shared/domain/names.ts';
import type { DueRow } from '../../shared/ports/identity-store.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { type ReconcileOutcome, reconcile } from '../../shared/use-cases/reconcile.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { dueKey, moveDue, updateIdentity } from '../../shared/use-cases/update-identity.ts';
import { identityOf, KMS, management } from '../support/agent.ts';
import { dieBefore, loseAnswer, refuseCalls } from '../support/faults.ts';
import { addForeignVersion } from '../support/foreign-version.ts';
import { assertWhole, takeInventory } from '../support/inspect-world.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { interleave } from '../support/interleaving.ts';
import { specOf } from '../support/key-spec.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { startWorld } from '../support/started-world.ts';

const NAME = vaultCertificateName(KMS);
const CSI = management('CSI');

const SPEC = specOf('RSA-2048');

/** A world two days after its first start: nothing is due, and everything has been quiet for long enough. */
async function quietWorld(): Promise<World> {
  const world = memoryWorld();
  await startWorld(world);
  world.clock.advance(2 * DAY_MS);
  return world;
}

/** What was found, and how many events say so. */
async function found(world: World, outcome: ReconcileOutcome | null): Promise<ReconcileOutcome['found']> {
  assert.ok(outcome !== null);
  assert.equal(outcome.failed, 0);
  const total = Object.values(outcome.found).reduce((sum, count) => sum + count, 0);
  assert.equal((await reasons(world)).length, total, 'one event for each finding');
  return outcome.found;
}

async function reasons(world: World): Promise<readonly (string | null)[]> {
  const shards = Array.from({ length: 32 }, (_, shard) => String(shard).padStart(2, '0'));
  const rows = await Promise.all(
    shards.map((shard) => world.tables.record.range(shard, 'o|', 'o}', Number.POSITIVE_INFINITY)),
  );
  return rows
    .flat()
    .map((row) => recordCodecs.event.decode(row))
    .filter(({ type }) => type === 'reconciled')
    .map(({ reason }) => reason);
}

/** A second look finds nothing, and the renewals that the first one asked for end well. */
async function assertMended(world: World): Promise<void> {
  for (let hour = 0; hour < 3; hour++) {
    world.clock.advance(HOUR_MS);
    await world.tick();
  }
  await assertWhole(world);
  const again = await reconcile(world.deps, world.run);
  assert.deepEqual(again?.found, {});
}

async function change(world: World, edit: (identity: Identity) => Identity): Promise<void> {
  await updateIdentity(world.deps, KMS, (identity) => ({ identity: edit(identity), changes: [] }));
}

async function removeDueRow(world: World, kind: 'certificate' | 'token'): Promise<void> {
  const key = (await identityOf(world, KMS))[kind].dueKey ?? '';
  await world.deps.identities.commit('management', [{ op: 'remove', kind: 'due', identity: KMS, key }]);
}

test('12 a healthy fleet has nothing to mend, and nothing is written', async () => {
  const world = await quietWorld();
  const before = await takeInventory(world);
  const { deps, calls } = recordCalls(world.deps);
  const outcome = await reconcile(deps, world.run);
  assert.deepEqual(outcome, { identities: 10, dueRows: 18, found: {}, failed: 0 });
  assert.equal(calls.includes('identities.commit'), false);
  assert.deepEqual(await takeInventory(world), before);
});

test('12 a version that somebody else made in the vault is found, and the certificate renewed over it', async () => {
  const world = await quietWorld();
  await addForeignVersion(world, NAME);
  const outcome = await reconcile(world.deps, world.run);
  assert.deepEqual(await found(world, outcome), { 'vault-version-unknown': 1 });
  await assertMended(world);
  assert.equal((await identityOf(world, KMS)).certificate.generation, 2);
  assert.equal(world.clientVault.versions(NAME).length, 3);
});

test('12 a version of ours that is not the one in force any more is found, and the certificate renewed', async () => {
  const world = await quietWorld();
  await change(world, (identity) => {
    const { head } = identity.certificate;
    assert.ok(head !== null);
    return {
      ...identity,
      certificate: { ...identity.certificate, head: { ...head, vaultVersion: '0'.repeat(32) } },
    };
  });
  assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), { 'vault-version-other': 1 });
  await assertMended(world);
});

test('12 a certificate that somebody deleted from the vault is found, recovered and renewed', async () => {
  const world = await quietWorld();
  world.clientVault.softDelete(NAME);
  assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), {
    'vault-version-missing': 1,
  });
  await assertMended(world);
  assert.equal(world.clientVault.versions(NAME).length, 2);
});

test('12 due rows that were lost are put back', async () => {
  const world = await quietWorld();
  const before = (await identityOf(world, KMS)).certificate.dueKey;
  await removeDueRow(world, 'certificate');
  await removeDueRow(world, 'token');
  assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), { 'due-row-missing': 2 });
  assert.equal((await identityOf(world, KMS)).certificate.dueKey, before);
  await assertMended(world);
});

test('12 a credential that points to nothing, or to another’s row, gets a row of its own', async () => {
  for (const isAnothers of [false, true]) {
    const world = await quietWorld();
    const dueKey = isAnothers ? (await identityOf(world, CSI)).token.dueKey : null;
    await removeDueRow(world, 'certificate');
    await change(world, (identity) => ({
      ...identity,
      certificate: { ...identity.certificate, dueKey },
    }));
    assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), { 'due-row-missing': 1 });
    await assertMended(world);
  }
});

test('12 a due row that comes up long after its moment is moved to it', async () => {
  const world = await quietWorld();
  await updateIdentity(world.deps, KMS, (identity) =>
    moveDue(identity, 'token', addMs(world.clock.now(), 80 * DAY_MS)),
  );
  assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), { 'due-row-late': 1 });
  await assertMended(world);
});

test('12 due rows that nobody points to are removed, those of identities that are gone too', async () => {
  const world = await quietWorld();
  const dueAt = addMs(world.clock.now(), 3 * DAY_MS);
  for (const identity of [KMS, management('Nobody')]) {
    const key = dueKey(identity, 'token', dueAt);
    const value: DueRow = { v: 1, key, identity, kind: 'token', dueAt, expiresAt: null, isReminder: false };
    await world.deps.identities.commit('management', [{ op: 'put', kind: 'due', value }]);
  }
  assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), { 'due-row-stray': 2 });
  await assertMended(world);
});

test('12 a mark of a message that never came back is taken away', async () => {
  const world = await quietWorld();
  const queuedAt = addMs(world.clock.now(), -DAY_MS - HOUR_MS);
  await change(world, (identity) => ({ ...identity, token: { ...identity.token, queuedAt } }));
  assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), { 'queue-mark-stale': 1 });
  assert.equal((await identityOf(world, KMS)).token.queuedAt, null);
  await assertMended(world);
});

test('12 a request that nobody is coming back for is removed after a day, and not before', async () => {
  const world = memoryWorld();
  await startWorld(world);
  await world.clientVault.request(NAME, SPEC);
  world.clock.advance(HOUR_MS);
  assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), {});
  world.clock.advance(DAY_MS);
  assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), { 'request-left-over': 1 });
  assert.deepEqual(await world.clientVault.pending(NAME), { state: 'none' });
  await assertMended(world);
});

test('12 an authority whose version in the vault differs is reported and left as it is', async () => {
  const world = await quietWorld();
  const [authority] = await world.deps.fleet.authorities();
  assert.ok(authority !== undefined);
  const name = vaultAuthorityName(authority.id);
  await world.authorityVault.request(name, specOf('EC-P256', { reuseKey: true }));
  await world.authorityVault.merge(name, [authority.certificate ?? new Uint8Array()]);
  const before = await world.deps.fleet.authority(authority.id);
  assert.deepEqual(await found(world, await reconcile(world.deps, world.run)), { 'authority-differs': 1 });
  assert.deepEqual(await world.deps.fleet.authority(authority.id), before);
});

test('12 renewals that run at the same time are never taken for damage', async () => {
  for (let seed = 1; seed <= 30; seed++) {
    const world = memoryWorld();
    await startWorld(world);
    world.clock.advance(46 * DAY_MS);
    await renewDue(world.deps, world.run);
    const [first, second] = world.queue.takeAll().filter(({ identity }) => identity.name === 'KMS');
    assert.ok(first !== undefined && second !== undefined);
    const results = await interleave<unknown>(world.deps, seed, [
      (deps) => doWork(deps, world.run, first),
      (deps) => doWork(deps, world.run, second),
      (deps) => reconcile(deps, world.run),
    ]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    assert.deepEqual(await reasons(world), [], `seed ${seed}`);
    assert.equal((await identityOf(world, KMS)).certificate.generation, 2);
  }
});

for (const [title, fault] of [
  ['may die before any call of a port', dieBefore],
  ['may lose the answer of any call of a port', loseAnswer],
] as const) {
  test(`12 reconcile itself ${title}, and the next one ends what it began`, async () => {
    for (let n = 1; ; n += 3) {
      const world = await quietWorld();
      await addForeignVersion(world, NAME);
      await removeDueRow(world, 'token');
      await world.clientVault.request(vaultCertificateName(CSI), SPEC);
      const { deps, hitAt } = fault(n, world.deps);
      await reconcile(deps, world.run).catch(() => undefined);
      if (hitAt() === null) return;
      world.clock.advance(2 * HOUR_MS);
      assert.notEqual(await reconcile(world.deps, world.run), null);
      await assertMended(world);
    }
  });
}

test('12 what cannot be read now hinders nothing else, and is told at the end', async () => {
  const world = await quietWorld();
  await addForeignVersion(world, NAME);
  const deps = refuseCalls(
    world.deps,
    ({ port, method, args }) =>
      port === 'clientVault' && method === 'current' && args[0] === vaultCertificateName(CSI),
  );
  await assert.rejects(reconcile(deps, world.run), { code: 'VaultUnavailable', retryable: true });
  assert.deepEqual(await reasons(world), ['vault-version-unknown']);
});

test('12 of two at once that respect the lease one leaves the work to the other', async () => {
  const world = await quietWorld();
  const lease = await world.deps.leases.acquire('reconcile', 60);
  assert.equal(await reconcile(world.deps, world.run), null);
  await lease?.release();
  assert.notEqual(await reconcile(world.deps, world.run), null);
});
