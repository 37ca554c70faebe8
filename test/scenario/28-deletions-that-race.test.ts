import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName } from '../../shared/domain/names.ts';
import { readCluster } from '../../shared/use-cases/clusters.ts';
import { deleteCluster, finishDeletion } from '../../shared/use-cases/delete-cluster.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import type { KeyedCall } from '../../shared/use-cases/keyed-request.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { tendFleet } from '../../shared/use-cases/tend-fleet.ts';
import { identityOf } from '../support/agent.ts';
import { clusterEvents, create, keyed, look } from '../support/clusters.ts';
import { dieBefore, refuseCalls } from '../support/faults.ts';
import { interceptPorts, type PortCall, recordCalls } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

const KMS = { cluster: 'alpha', name: 'KMS' };
const NODE = { cluster: 'alpha', name: 'kubelet-n2' };

async function clusterWorld(): Promise<World> {
  const world = await startedWorld();
  await create(world);
  await world.tick();
  await world.tick();
  return world;
}

const remove = (world: World, call: KeyedCall | null = null, deps: Deps = world.deps) =>
  deleteCluster(deps, world.run, 'alpha', null, call);

async function quarters(world: World, count: number, deps: Deps = world.deps): Promise<void> {
  for (let i = 0; i < count; i++) {
    world.clock.advance(15 * MINUTE_MS);
    await world.tick(deps);
  }
}

const stateOf = async (world: World) => (await world.deps.fleet.cluster('alpha'))?.value.state;

/** Before the first call that `isMoment` picks, something else happens in whole. */
function before(deps: Deps, isMoment: (call: PortCall) => boolean, happens: () => Promise<unknown>): Deps {
  let isOver = false;
  return interceptPorts(deps, async (call, proceed) => {
    if (!isOver && isMoment(call)) {
      isOver = true;
      await happens();
    }
    return proceed();
  });
}

test('28 the key of a deletion that is over answers that deletion and touches no cluster made since', async () => {
  const world = await clusterWorld();
  const call = keyed('delete-alpha');
  const first = await remove(world, call);
  await world.tick();
  assert.equal((await remove(world, call)).id, first.id);
  await create(world);
  await quarters(world, 2);
  assert.equal((await remove(world, call)).id, first.id);
  await quarters(world, 2);
  assert.equal(await stateOf(world), 'Active');
  const second = await remove(world, keyed('another-key'));
  assert.notEqual(second.id, first.id);
  await quarters(world, 2);
  assert.equal(await stateOf(world), 'Deleted');
});

test('28 a cluster whose deletion names an operation that has ended is deleted by another one', async () => {
  for (const isAskedAgain of [false, true]) {
    const world = await startedWorld();
    const { operation } = await create(world);
    await world.tick();
    await world.tick();
    await look(world, operation);
    const stored = await readCluster(world.deps, 'alpha');
    await world.deps.fleet.replaceCluster({ ...stored.value, state: 'Deleting' }, stored.etag);
    if (isAskedAgain) assert.notEqual((await remove(world)).id, operation);
    await quarters(world, 1);
    assert.equal(await stateOf(world), 'Deleted');
    assert.ok((await identityOf(world, KMS)).revokedAt !== null);
  }
});

test('28 a worker that comes late revokes nothing of the cluster made again', async () => {
  const moments: ((call: PortCall) => boolean)[] = [
    ({ port, method }) => port === 'identities' && method === 'identities',
    ({ port, method, args }) =>
      port === 'identities' && method === 'identity' && JSON.stringify(args[0]).includes(NODE.name),
    ({ port, method }) => port === 'clientVault' && method === 'discardPending',
    ({ port, method }) => port === 'clientVault' && method === 'enabledVersions',
    ({ port, method }) => port === 'clientVault' && method === 'disable',
  ];
  for (const [i, isMoment] of moments.entries()) {
    const world = await clusterWorld();
    const operation = await remove(world);
    const late = before(world.deps, isMoment, async () => {
      await finishDeletion(world.deps, world.run, operation);
      await create(world);
      await quarters(world, 2);
    });
    await finishDeletion(late, world.run, operation);
    await quarters(world, 2);
    assert.equal(await stateOf(world), 'Active', `moment ${i}`);
    for (const id of [KMS, NODE]) {
      const { incarnation, deletedAt, revokedAt } = await identityOf(world, id);
      assert.deepEqual([incarnation, deletedAt, revokedAt], [2, null, null], `moment ${i}`);
    }
    const { head } = (await identityOf(world, KMS)).certificate;
    assert.deepEqual(
      await world.deps.clientVault.enabledVersions(vaultCertificateName(KMS)),
      [head?.vaultVersion],
      `moment ${i}`,
    );
  }
});

test('28 a vault that does not answer keeps no cluster alive, and is cleaned by reconcile when it is back', async () => {
  const world = await clusterWorld();
  const broken = refuseCalls(world.deps, ({ port }) => port === 'clientVault');
  const { deps, calls } = recordCalls(broken);
  const { id } = await remove(world, null, deps);
  await quarters(world, 1, deps);
  assert.equal(await stateOf(world), 'Deleted');
  assert.ok(
    calls.filter((call) => call.startsWith('clientVault')).length <= 4,
    'the others are not asked about',
  );
  const operation = await look(world, id);
  assert.deepEqual([operation.state, operation.counts.done, operation.counts.failed], ['partial', 2, 4]);
  assert.equal(operation.items.find(({ item }) => item.name === 'KMS')?.progress.code, 'VaultUnavailable');
  assert.ok(operation.operation.finishedAt !== null);
  const name = vaultCertificateName(KMS);
  assert.equal((await world.deps.clientVault.enabledVersions(name)).length, 1);
  await reconcile(broken, world.run).catch(() => undefined);
  world.clock.advance(DAY_MS);
  const outcome = await reconcile(world.deps, world.run);
  assert.equal(outcome?.found['vault-version-left'], 4);
  assert.deepEqual(await world.deps.clientVault.enabledVersions(name), []);
  assert.equal((await look(world, id)).state, 'succeeded');
});

test('28 the scan comes first, and a run that was slow leaves the rest to the next one', async () => {
  const world = await clusterWorld();
  await remove(world);
  const { deps, calls } = recordCalls(world.deps);
  const slow = interceptPorts(deps, async ({ port, method }, proceed) => {
    if (port === 'operations' && method === 'operation') world.clock.advance(HOUR_MS);
    return proceed();
  });
  await tendFleet(slow, world.run);
  assert.ok(calls.indexOf('identities.due') < calls.lastIndexOf('fleet.clusters'));
  assert.ok(world.lines.some((line) => line.includes('No time for')));
  assert.equal(await stateOf(world), 'Deleting');
  await quarters(world, 1);
  assert.equal(await stateOf(world), 'Deleted');
});

test('28 whoever deletes a cluster is in the log, wherever the deletion is killed', async () => {
  for (let n = 1; ; n++) {
    const world = await clusterWorld();
    const actor = { kind: 'operator', id: 'mallory', source: null } as const;
    const fault = dieBefore(n, world.deps);
    await deleteCluster(fault.deps, { ...world.run, actor }, 'alpha', null, null).catch(() => undefined);
    const isRequested = (await clusterEvents(world, 'alpha')).includes('cluster-deletion-requested');
    if ((await stateOf(world)) === 'Deleting') assert.ok(isRequested, `killed before call ${n}`);
    if (fault.hitAt() === null) break;
  }
});

test('28 a reminder that is killed is given by the next run', async () => {
  for (let n = 1; n < 60; n++) {
    const world = await startedWorld();
    await create(world, { delivery: 'agent', nodes: [] });
    world.clock.advance(61 * DAY_MS);
    const fault = dieBefore(n, world.deps);
    await tendFleet(fault.deps, world.run).catch(() => undefined);
    if (fault.hitAt() === null) break;
    world.clock.advance(DAY_MS);
    await tendFleet(world.deps, world.run);
    assert.ok(
      (await clusterEvents(world, 'alpha')).includes('update-reminder'),
      `killed before call ${n}, ${fault.hitAt()?.port}.${fault.hitAt()?.method}`,
    );
  }
});
