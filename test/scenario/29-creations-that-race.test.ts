import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MOST_IDENTITIES } from '../../shared/domain/cluster.ts';
import { MINUTE_MS } from '../../shared/domain/instants.ts';
import type { Change } from '../../shared/ports/identity-store.ts';
import { deleteCluster } from '../../shared/use-cases/delete-cluster.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { ensureSuccessor } from '../../shared/use-cases/ensure-successor.ts';
import { addIdentity } from '../../shared/use-cases/manage-identity.ts';
import { operationLoginFiles } from '../../shared/use-cases/operation-login-files.ts';
import { inPool } from '../../shared/use-cases/pool.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { createRevocationRule } from '../../shared/use-cases/revocation-rules.ts';
import { identityOf, logIn, requestOf } from '../support/agent.ts';
import { create, keyed, look, repair } from '../support/clusters.ts';
import { interceptPorts, type PortCall, recordCalls } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { rotate, startedWorld } from '../support/operator-actions.ts';

const KMS = { cluster: 'alpha', name: 'KMS' };
const NODE = { cluster: 'alpha', name: 'kubelet-n1' };
const LATE = { name: 'late', clientType: 'Node', delivery: 'agent', credentials: 'kubelet' } as const;
const everybody = async () => true;

/** Before the commit that writes this identity for the first time, something else happens in whole. */
function beforeMaking(deps: Deps, name: string, happens: () => Promise<unknown>): Deps {
  let isOver = false;
  const isMoment = ({ port, method, args }: PortCall) =>
    port === 'identities' &&
    method === 'commit' &&
    (args[1] as readonly Change[]).some((change) => change.kind === 'identity' && change.value.name === name);
  return interceptPorts(deps, async (call, proceed) => {
    if (!isOver && isMoment(call)) {
      isOver = true;
      await happens();
    }
    return proceed();
  });
}

async function remove(world: World): Promise<void> {
  await deleteCluster(world.deps, world.run, 'alpha', null, null);
  await world.tick();
}

async function liveNames(world: World): Promise<readonly string[]> {
  const { items } = await world.deps.identities.identities({ cluster: 'alpha', limit: 500 });
  return items.filter(({ deletedAt }) => deletedAt === null).map(({ name }) => name);
}

async function issuedFor(world: World, act: () => Promise<unknown>): Promise<readonly string[]> {
  const names: string[] = [];
  const commit = world.deps.identities.commit.bind(world.deps.identities);
  world.deps.identities.commit = (cluster, changes) => {
    for (const change of changes) {
      if (change.kind === 'event' && change.value.type === 'login-file-issued') {
        names.push(change.value.identity.name);
      }
    }
    return commit(cluster, changes);
  };
  await act();
  world.deps.identities.commit = commit;
  return names;
}

test('29 a pool waits for what it began before it fails, and begins nothing more', async () => {
  let begun = 0;
  let ended = 0;
  const items = Array.from({ length: 100 }, (_, i) => i);
  const work = async (i: number) => {
    begun += 1;
    for (let turn = 0; turn < i % 7; turn++) await Promise.resolve();
    if (i === 5) throw new Error('the fifth');
    ended += 1;
  };
  await assert.rejects(inPool(items, work), /the fifth/);
  const atFailure = begun;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(begun, atFailure);
  assert.equal(ended, begun - 1);
  assert.ok(begun < 100);
});

test('29 a cluster that is deleted while it is made has no living identity, and no token is told', async () => {
  for (const isMadeAgain of [false, true]) {
    const world = await startedWorld();
    const deps = beforeMaking(world.deps, 'kubelet-n2', async () => {
      await remove(world);
      if (isMadeAgain) await create(world, { delivery: 'agent' });
    });
    await assert.rejects(create(world, { delivery: 'agent' }, null, deps), { code: 'InUse' });
    await world.tick();
    const expected = isMadeAgain ? 6 : 0;
    assert.equal((await liveNames(world)).length, expected);
  }
});

test('29 an identity that is added while its cluster is deleted is not made', async () => {
  const world = await startedWorld();
  await create(world);
  const deps = beforeMaking(world.deps, 'late', () => remove(world));
  await assert.rejects(addIdentity(deps, world.run, 'alpha', LATE, {}), { code: 'InUse' });
  assert.deepEqual(await liveNames(world), []);
  assert.equal(await world.deps.identities.identity({ cluster: 'alpha', name: 'late' }), null);
});

test('29 what lives on in a deleted cluster is ended by reconcile, or by whoever makes the cluster again', async () => {
  for (const isReconciled of [true, false]) {
    const world = await startedWorld();
    await create(world, { delivery: 'agent' });
    const before = await world.deps.identities.identity(NODE);
    await remove(world);
    // As a program of the first version, which knew no gates, could leave it.
    const deleted = await world.deps.identities.identity(NODE);
    assert.ok(before !== null && deleted !== null);
    await world.deps.identities.commit('alpha', [
      { op: 'replace', kind: 'identity', value: before.value, etag: deleted.etag },
    ]);
    world.clock.advance(MINUTE_MS);
    if (isReconciled) {
      assert.equal((await reconcile(world.deps, world.run))?.found['cluster-deleted'], 1);
      assert.ok((await identityOf(world, NODE)).deletedAt !== null);
    }
    await create(world, { delivery: 'agent' });
    assert.equal((await identityOf(world, NODE)).incarnation, 2);
  }
});

test('29 a creation that is asked for again brings nothing back that was deleted since', async () => {
  const world = await startedWorld();
  const call = keyed('create-alpha');
  const first = await create(world, { delivery: 'agent' }, call);
  assert.equal(first.loginFiles.length, 6);
  await deleteIdentity(world.deps, world.run, NODE);
  await rotate(world, KMS, true);
  const names = await issuedFor(world, async () => {
    const again = await create(world, { delivery: 'agent' }, call);
    assert.deepEqual(
      again.loginFiles.map(({ name }) => name),
      ['CSI', 'CertManager', 'CloudProvider', 'kubelet-n2'],
      'neither the deleted one nor a token that another operator asked for',
    );
  });
  assert.deepEqual([...names].sort(), ['CSI', 'CertManager', 'CloudProvider', 'kubelet-n2']);
  assert.ok((await identityOf(world, NODE)).deletedAt !== null);
  await addIdentity(world.deps, world.run, 'alpha', { ...LATE, name: NODE.name }, {});
  const third = await create(world, { delivery: 'agent' }, call);
  assert.equal(
    third.loginFiles.some(({ name }) => name === NODE.name),
    false,
  );
});

test('29 the key of a cluster that was deleted since makes no other one', async () => {
  for (const delivery of ['vault', 'agent'] as const) {
    const world = await startedWorld();
    await create(world, { delivery }, keyed('create-alpha'));
    await world.tick();
    await remove(world);
    await assert.rejects(create(world, { delivery }, keyed('create-alpha')), { code: 'IdempotencyMismatch' });
    const again = await create(world, { delivery }, keyed('another-key'));
    await world.tick();
    if (again.operation !== null) assert.equal((await look(world, again.operation)).state, 'succeeded');
  }
});

test('29 an identity of another kind is not taken for a client of the cluster', async () => {
  const world = await startedWorld();
  const deps = beforeMaking(world.deps, 'KMS', () =>
    addIdentity(world.deps, world.run, 'alpha', { ...LATE, name: 'KMS' }, {}),
  );
  await assert.rejects(create(world, {}, null, deps), { code: 'AlreadyExists' });
  await deleteIdentity(world.deps, world.run, KMS);
  assert.equal((await create(world)).cluster.state, 'Active');
});

test('29 an operation tells only the tokens that it made itself, with an event for each', async () => {
  const world = await startedWorld();
  const { loginFiles } = await create(world);
  for (const { name, token } of loginFiles) {
    await logIn(world, token.reveal(), requestOf({ cluster: 'alpha', name }, name));
  }
  await world.tick();
  await world.tick();
  const { id } = await repair(world, 'update');
  await world.tick();
  const tell = () => operationLoginFiles(world.deps, world.run, id, everybody);
  const both = ['kubelet-n1', 'kubelet-n2'];
  const issued = await issuedFor(world, async () => {
    assert.deepEqual(
      (await tell()).map(({ name }) => name),
      both,
    );
  });
  assert.deepEqual([...issued].sort(), both);
  await rotate(world, NODE, true);
  const agent = { ...world.run, actor: { kind: 'agent', id: 'alpha/kubelet-n2', source: null } } as const;
  await ensureSuccessor(world.deps, agent, { cluster: 'alpha', name: 'kubelet-n2' }, { isForced: true });
  assert.deepEqual(await tell(), []);
});

test('29 an update of agents that a rule revokes ends, and one whose identities are gone is cancelled', async () => {
  const world = await startedWorld();
  await create(world, { delivery: 'agent' });
  const scope = { clientType: 'Node', cluster: 'alpha', dnsName: null, issuedBefore: null } as const;
  await createRevocationRule(world.deps, world.run, scope, 'keyCompromise');
  const ruled = await repair(world, 'update', { credentials: ['kubelet'] });
  await world.tick();
  const view = await look(world, ruled.id);
  assert.ok(view.operation.finishedAt !== null);
  assert.deepEqual([...new Set(view.items.map(({ progress }) => progress.code))], ['Revoked']);
  const gone = await repair(world, 'update', { credentials: ['cloud'] });
  for (const name of ['KMS', 'CSI', 'CertManager', 'CloudProvider']) {
    await deleteIdentity(world.deps, world.run, { cluster: 'alpha', name });
  }
  await world.tick();
  assert.equal((await look(world, gone.id)).state, 'cancelled');
});

test('29 a full cluster takes no more identities', async () => {
  const world = await startedWorld();
  const { identities } = await create(world);
  const living = identities[0];
  assert.ok(living !== undefined);
  const full = interceptPorts(world.deps, async ({ port, method }, proceed) =>
    port === 'identities' && method === 'identities'
      ? { items: Array.from({ length: MOST_IDENTITIES }, () => living), nextCursor: null }
      : proceed(),
  );
  await assert.rejects(addIdentity(full, world.run, 'alpha', LATE, {}), { code: 'InvalidInput' });
  assert.equal((await liveNames(world)).length, 6);
});

test('29 many identities are made at once through the gates, and none is lost', async () => {
  const world = await startedWorld();
  const nodes = Array.from({ length: 120 }, (_, i) => `n${i}`);
  const turning = interceptPorts(world.deps, async (_, proceed) => {
    await new Promise((resolve) => setImmediate(resolve));
    return proceed();
  });
  const { deps, calls } = recordCalls(turning);
  const { loginFiles } = await create(world, { nodes, delivery: 'agent' }, null, deps);
  assert.equal(loginFiles.length, 124);
  const commits = calls.filter((call) => call === 'identities.commit').length;
  assert.ok(commits < 2 * 124, `${commits} commits: gates make few of them repeat`);
});
