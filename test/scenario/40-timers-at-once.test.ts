/** 40 Two of every timer at once, as when two hosts both believe to be the one: what is done is done once. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SEAL_AFTER_MS } from '../../shared/domain/audit.ts';
import { DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName } from '../../shared/domain/names.ts';
import { advanceOperation } from '../../shared/use-cases/advance-operation.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { tendFleet } from '../../shared/use-cases/tend-fleet.ts';
import { identityOf, KMS, logIn, requestOf } from '../support/agent.ts';
import { findingsIn } from '../support/audit-world.ts';
import { clusterEvents, create, look, repair } from '../support/clusters.ts';
import { assertWhole, type Inventory, takeInventory } from '../support/inspect-world.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import { interleave } from '../support/interleaving.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

/** Everybody takes every lease: correctness never rests on them. */
const withoutLeases = (deps: Deps): Deps => ({
  ...deps,
  leases: { acquire: async () => ({ release: async () => {} }) },
});

/** On a day when everything is due an operator updates a cluster. */
async function busyDay(): Promise<{ world: World; operation: string }> {
  const world = await startedWorld();
  const { loginFiles } = await create(world, { name: 'alpha', nodes: ['n1'] });
  await world.tick();
  const node = { cluster: 'alpha', name: 'kubelet-n1' };
  await logIn(world, loginFiles[0]?.token.reveal() ?? '', requestOf(node, 'n1'));
  world.clock.advance(46 * DAY_MS);
  const { id } = await repair(world, 'update');
  return { world, operation: id };
}

async function finished({ world, operation }: { world: World; operation: string }): Promise<Inventory> {
  for (let time = 0; time < 3; time++) {
    world.clock.advance(12 * HOUR_MS);
    await world.tick();
  }
  // A request that a worker made too late for its certificate lies in the vault until a day later.
  await reconcile(world.deps, world.run);
  await sealAudit(world.deps, world.run);
  const { counts } = await look(world, operation);
  assert.deepEqual([counts.done, counts.waiting, counts.failed], [8, 2, 0]);
  await assertWhole(world);
  assert.deepEqual(await findingsIn(world), []);
  return takeInventory(world);
}

/** The same day with nobody else about. */
async function calmDay(): Promise<Inventory> {
  const day = await busyDay();
  await day.world.tick();
  return finished(day);
}

for (const [title, used] of [
  ['that take turns by their leases', (deps: Deps) => deps],
  ['that both hold every lease', withoutLeases],
] as const) {
  test(`40 two of each timer ${title}, and an operation that is picked up twice, do what one of each does`, async () => {
    const calm = await calmDay();
    for (let seed = 1; seed <= 3; seed++) {
      const day = await busyDay();
      const { world, operation } = day;
      world.clock.advance(SEAL_AFTER_MS);
      const scan = (deps: Deps) => runTimer(deps, world.run, 'renew-due', tendFleet);
      const seal = (deps: Deps) => runTimer(deps, world.run, 'seal-audit', sealAudit);
      const advance = (deps: Deps) => advanceOperation(deps, world.run, operation);
      const ticks = [scan, scan, seal, seal, advance, advance];
      const results = await interleave<void>(used(world.deps), seed, ticks);
      // The queue hands every message to two workers, while the timers tick again.
      const messages = world.queue.takeAll();
      assert.ok(messages.length > 0);
      const twice = [...messages, ...messages].map(
        (message) => (deps: Deps) => doWork(deps, world.run, message),
      );
      results.push(...(await interleave<void>(used(world.deps), seed, [...twice, scan, seal, advance])));
      assert.deepEqual(
        results.filter(({ status }) => status === 'rejected'),
        [],
        `order ${seed}`,
      );

      assert.deepEqual(await finished(day), calm, `order ${seed}`);
      const finishes = (await clusterEvents(world, 'alpha')).filter((type) => type === 'operation-finished');
      assert.ok(finishes.length <= 2, 'one of its creation, one of the update');
    }
  });
}

test('40 a worker that comes to the vault when its twin has just merged there goes on with what that one made', async () => {
  const world = await startedWorld();
  world.clock.advance(46 * DAY_MS);
  const { generation } = (await identityOf(world, KMS)).certificate;
  const work = (deps: Deps) =>
    doWork(deps, world.run, { v: 1, identity: KMS, kind: 'certificate', generation });
  let isMerged = false;
  // It dies before it can write down that its version is in force, which is as good as being slow.
  const twin = interceptPorts(world.deps, async ({ port, method }, proceed) => {
    if (isMerged) throw new Error('The process died here.');
    const answer = await proceed();
    isMerged = port === 'clientVault' && method === 'merge';
    return answer;
  });
  let hasMet = false;
  const late = interceptPorts(world.deps, async ({ port }, proceed) => {
    if (port === 'clientVault' && !hasMet) {
      hasMet = true;
      await assert.rejects(work(twin));
    }
    return proceed();
  });
  await work(late);
  const { certificate } = await identityOf(world, KMS);
  const versions = world.clientVault.versions(vaultCertificateName(KMS));
  assert.equal(versions.length, 2);
  assert.equal(certificate.generation, generation + 1);
  assert.equal(certificate.head?.vaultVersion, versions.at(-1)?.version);
  assert.equal(certificate.attempt, null);
});
