/** The audit log: events are sealed into chains, whatever dies meanwhile, and read page by page. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FLEET_CHAIN, SEAL_AFTER_MS } from '../../shared/domain/audit.ts';
import { CHECKPOINT_EVERY_MS } from '../../shared/domain/audit-chain.ts';
import { addMs, DAY_MS, MINUTE_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { VAULT_AUDIT_SIGNING_NAME } from '../../shared/domain/names.ts';
import { jwsPayload } from '../../shared/pki/jws-writer.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { type EventQuery, getEvents } from '../../shared/use-cases/get-events.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { auditEvent, eventOf } from '../support/audit-events.ts';
import { dieBefore, loseAnswer, refuseCalls } from '../support/faults.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { interleave } from '../support/interleaving.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

const CHAINS = ['alpha', 'beta', FLEET_CHAIN];
const ALL: EventQuery = { chain: null, type: null, from: null, before: null, limit: 500, cursor: null };

/** A world with events in three chains, a second apart, all old enough to be sealed. @returns their ids in order */
async function eventful(perChain: number): Promise<{ world: World; ids: Record<string, string[]> }> {
  const world = memoryWorld();
  for (const part of world.deps.storage) await part.prepare();
  const ids: Record<string, string[]> = {};
  for (let i = 0; i < perChain; i++) {
    for (const chain of CHAINS) {
      const event = auditEvent(chain, world.clock.now());
      await world.deps.identities.commit(chain, [eventOf(chain, event)]);
      ids[chain] = [...(ids[chain] ?? []), event.id];
      world.clock.advance(SECOND_MS / 4);
    }
  }
  world.clock.advance(SEAL_AFTER_MS);
  return { world, ids };
}

/** Walks the log to its end. */
async function walk(
  deps: Deps,
  query: Partial<EventQuery>,
  between: () => Promise<unknown> = async () => {},
) {
  const items = [];
  let cursor: string | null = null;
  for (let calls = 0; ; calls++) {
    assert.ok(calls < 1_000, 'the walk does not end');
    const page = await getEvents(deps, { ...ALL, ...query, cursor });
    items.push(...page.items);
    if (page.nextCursor === null) return items;
    cursor = page.nextCursor;
    await between();
  }
}

/** Every event stands once in its chain, in order, each linked to the one before it, and none waits. */
async function assertSealed(world: World, ids: Readonly<Record<string, string[]>>): Promise<void> {
  for (const chain of CHAINS) {
    const items = await walk(world.deps, { chain });
    assert.deepEqual(
      items.map(({ id, seq }) => [id, seq]),
      ids[chain]?.map((id, i) => [id, i + 1]),
    );
    for (const [i, { previousHash }] of items.entries()) {
      assert.equal(previousHash, items[i - 1]?.hash ?? '0'.repeat(64));
    }
    const { seal } = await getEvents(world.deps, { ...ALL, chain });
    assert.deepEqual([seal.sealedSeq, seal.headHash], [items.length, items.at(-1)?.hash]);
    assert.ok(seal.checkpointAt !== null);
    const claims = jwsPayload((await world.checkpoints.get(chain, items.length)) ?? '');
    assert.equal(JSON.parse(claims ?? '{}').headHash, seal.headHash);
  }
}

describe('43 Sealing', () => {
  test('seals what is old enough, chain by chain, and leaves the rest for the next run', async () => {
    const { world, ids } = await eventful(80);
    const young = auditEvent('alpha', world.clock.now());
    await world.deps.identities.commit('alpha', [eventOf('alpha', young)]);
    assert.deepEqual(await sealAudit(world.deps, world.run), { sealed: 240, checkpoints: 3 });
    assert.deepEqual(await sealAudit(world.deps, world.run), { sealed: 0, checkpoints: 0 });
    const { items } = await getEvents(world.deps, { ...ALL, chain: 'alpha' });
    assert.deepEqual([items.at(-1)?.id, items.at(-1)?.seq, items.at(-1)?.hash], [young.id, null, null]);
    world.clock.advance(SEAL_AFTER_MS + 1);
    assert.equal((await sealAudit(world.deps, world.run))?.sealed, 1);
    await assertSealed(world, { ...ids, alpha: [...(ids['alpha'] ?? []), young.id] });
  });

  test('the events of a first start end up in the chains of the management cluster and of the fleet', async () => {
    const world = memoryWorld();
    await firstStart(world.deps, world.run);
    world.clock.advance(SEAL_AFTER_MS + MINUTE_MS);
    const outcome = await sealAudit(world.deps, world.run);
    const chains = [
      await walk(world.deps, { chain: 'management' }),
      await walk(world.deps, { chain: FLEET_CHAIN }),
    ];
    const items = chains.flat();
    assert.equal(items.length, outcome?.sealed);
    assert.ok(chains.every(({ length }) => length > 0));
    assert.ok(items.every(({ hash }) => hash !== null));
  });

  test('a head that does not move has its checkpoint looked at once a day, and made again when it is gone', async () => {
    const { world } = await eventful(1);
    await sealAudit(world.deps, world.run);
    world.clock.advance(CHECKPOINT_EVERY_MS);
    const { deps, calls } = recordCalls(world.deps);
    assert.deepEqual(await sealAudit(deps, world.run), { sealed: 0, checkpoints: 0 });
    assert.equal(calls.filter((call) => call === 'checkpoints.get').length, 3);
    assert.equal(calls.includes('signer.sign'), false);
    const { seal } = await getEvents(deps, { ...ALL, chain: 'alpha' });
    assert.deepEqual(seal.checkpointAt, world.clock.now());
  });

  test('a vault that does not answer costs the checkpoint and not the sealing; the next run makes it', async () => {
    const { world, ids } = await eventful(3);
    const broken = refuseCalls(world.deps, ({ port }) => port === 'signer');
    await assert.rejects(sealAudit(broken, world.run), { code: 'VaultUnavailable', retryable: true });
    assert.equal((await getEvents(world.deps, { ...ALL, chain: 'alpha' })).seal.sealedSeq, 3);
    assert.deepEqual(await sealAudit(world.deps, world.run), { sealed: 0, checkpoints: 3 });
    await assertSealed(world, ids);
  });

  test('the signing key is another than the authority’s, and a new version before its end', async () => {
    const { world } = await eventful(1);
    await sealAudit(world.deps, world.run);
    const first = (await world.deps.audit.signingKey())?.value;
    world.clock.advance(200 * DAY_MS);
    for (let month = 0; month < 6; month++) {
      world.clock.advance(30 * DAY_MS);
      const event = auditEvent('alpha', addMs(world.clock.now(), -SEAL_AFTER_MS - 1));
      await world.deps.identities.commit('alpha', [eventOf('alpha', event)]);
      await sealAudit(world.deps, world.run);
      const key = (await world.deps.audit.signingKey())?.value;
      assert.ok(key !== undefined && key.notAfter > world.clock.now());
    }
    const versions = world.authorityVault.versions(VAULT_AUDIT_SIGNING_NAME);
    assert.equal(versions.length, 2);
    assert.equal(versions[0]?.keyId, first?.keyId);
  });

  test('a chain whose rows were all removed does not begin anew', async () => {
    const { world } = await eventful(2);
    await sealAudit(world.deps, world.run);
    const rows = await world.tables.record.range(partitionOf(world, 'alpha'), 'e', 'z', 100);
    await world.tables.record.commit(
      partitionOf(world, 'alpha'),
      rows.map(({ key }) => ({ op: 'remove', key })),
    );
    const event = auditEvent('alpha', addMs(world.clock.now(), -SEAL_AFTER_MS - 1));
    await world.deps.identities.commit('alpha', [eventOf('alpha', event)]);
    await assert.rejects(sealAudit(world.deps, world.run), { code: 'AuditChainBroken' });
    assert.equal((await walk(world.deps, { chain: 'alpha' }))[0]?.seq, null);
  });

  test('a chain that differs from a checkpoint is reported when its head is looked at again', async () => {
    const { world } = await eventful(2);
    await sealAudit(world.deps, world.run);
    const stored = await world.deps.audit.head('alpha');
    assert.ok(stored !== null);
    await world.deps.audit.replaceHead({ ...stored.value, hash: 'ab'.repeat(32) }, stored.etag);
    world.clock.advance(CHECKPOINT_EVERY_MS);
    await assert.rejects(sealAudit(world.deps, world.run), { code: 'AuditChainBroken' });
  });
});

describe('43 Sealing, killed anywhere or doubled, comes to the same', async () => {
  const PER_CHAIN = 40;
  const probe = await eventful(PER_CHAIN);
  const { deps, calls } = recordCalls(probe.world.deps);
  await sealAudit(deps, probe.world.run);

  for (const [title, cause] of [
    ['dies before', dieBefore],
    ['loses the answer of', loseAnswer],
  ] as const) {
    test(`the run that ${title} each of its ${calls.length} calls`, async () => {
      for (let n = 1; n <= calls.length; n++) {
        const { world, ids } = await eventful(PER_CHAIN);
        const fault = cause(n, world.deps);
        await sealAudit(fault.deps, world.run).catch(() => undefined);
        assert.ok(fault.hitAt() !== null, `there is no call ${n}`);
        // The lease of a run that died ends by itself.
        world.clock.advance(11 * MINUTE_MS);
        await sealAudit(world.deps, world.run);
        await assertSealed(world, ids);
      }
    });
  }

  test('two runs at once that both believe in their lease, in any order of their calls', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const { world, ids } = await eventful(PER_CHAIN);
      const free = { ...world.deps, leases: { acquire: async () => ({ release: async () => {} }) } };
      const run = (used: Deps) => sealAudit(used, world.run);
      await interleave(free, seed, [run, run]);
      await sealAudit(world.deps, world.run);
      await assertSealed(world, ids);
    }
  });
});

describe('43 Reading the log', () => {
  test('a walk over one chain, or over all by time, gives every event once while they are being sealed', async () => {
    for (const chain of ['alpha', null]) {
      for (const limit of [1, 7, 50]) {
        const { world, ids } = await eventful(60);
        const expected = (chain === null ? CHAINS : [chain]).flatMap((one) => ids[one] ?? []);
        let calls = 0;
        const items = await walk(world.deps, { chain, limit }, async () => {
          calls += 1;
          if (calls === 3) await sealAudit(world.deps, world.run);
        });
        assert.deepEqual(items.map(({ id }) => id).sort(), [...expected].sort());
        const times = items.map(({ time }) => time);
        assert.deepEqual(times, [...times].sort());
      }
    }
  });

  test('the filters for type and time hold over pages, sealed or not', async () => {
    const { world } = await eventful(1);
    const start = world.clock.now();
    for (let i = 0; i < 300; i++) {
      const type = i % 100 === 99 ? 'renewal-failed' : 'login';
      const event = auditEvent('alpha', addMs(start, i * SECOND_MS), { type });
      await world.deps.identities.commit('alpha', [eventOf('alpha', event)]);
    }
    world.clock.advance(200 * SECOND_MS + SEAL_AFTER_MS);
    await sealAudit(world.deps, world.run);
    for (const chain of ['alpha', null]) {
      const failed = await walk(world.deps, { chain, type: 'renewal-failed', limit: 2 });
      assert.equal(failed.length, 3);
      const range = { from: addMs(start, 50 * SECOND_MS), before: addMs(start, 250 * SECOND_MS) };
      const some = await walk(world.deps, { chain, limit: 33, ...range });
      assert.equal(some.length, 200);
      assert.equal((await walk(world.deps, { chain, type: 'renewal-failed', ...range })).length, 2);
    }
  });

  test('a call looks at a bounded number of rows, however long the chain, and begins near the time asked for', async () => {
    const { world } = await eventful(1);
    const start = world.clock.now();
    for (let i = 0; i < 3_000; i += 50) {
      const batch = Array.from({ length: 50 }, (_, k) =>
        eventOf('alpha', auditEvent('alpha', addMs(start, (i + k) * SECOND_MS))),
      );
      await world.deps.identities.commit('alpha', batch);
    }
    world.clock.advance(DAY_MS);
    await sealAudit(world.deps, world.run);
    const examined = async (query: Partial<EventQuery>) => {
      const before = world.tables.record.rowsExamined;
      const page = await getEvents(world.deps, { ...ALL, chain: 'alpha', ...query });
      return { page, rows: world.tables.record.rowsExamined - before };
    };
    const rare = await examined({ type: 'reconciled' });
    assert.deepEqual(rare.page.items, []);
    assert.notEqual(rare.page.nextCursor, null);
    assert.ok(rare.rows < 2_600, `${rare.rows} rows`);
    const late = await examined({ from: addMs(start, 2_990 * SECOND_MS), limit: 5 });
    assert.equal(late.page.items.length, 5);
    assert.ok(late.rows < 100, `${late.rows} rows`);
  });

  test('a cursor that no page gave is refused', async () => {
    const { world } = await eventful(1);
    for (const chain of ['alpha', null]) {
      for (const cursor of ['', 'x', '-1', '1.', '1|2', '2026|zz}', "o'r 1"]) {
        await assert.rejects(getEvents(world.deps, { ...ALL, chain, cursor }), { code: 'InvalidInput' });
      }
    }
  });

  test('a chain without an entry stands at nothing', async () => {
    const { world } = await eventful(1);
    const { items, nextCursor, seal } = await getEvents(world.deps, { ...ALL, chain: 'gamma' });
    assert.deepEqual([items, nextCursor], [[], null]);
    assert.deepEqual(seal, { chain: 'gamma', sealedSeq: 0, headHash: '0'.repeat(64), checkpointAt: null });
  });
});

function partitionOf(world: World, chain: string): string {
  return String(world.deps.identities.tokenShard(chain)).padStart(2, '0');
}
