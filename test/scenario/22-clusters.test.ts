import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName, vaultTokenName } from '../../shared/domain/names.ts';
import { listClusters, readCluster } from '../../shared/use-cases/clusters.ts';
import { deleteCluster } from '../../shared/use-cases/delete-cluster.ts';
import { getPlan } from '../../shared/use-cases/get-plan.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { addIdentity } from '../../shared/use-cases/manage-identity.ts';
import { identityOf, logIn, requestOf } from '../support/agent.ts';
import { clusterEvents, create, keyed, look, repair } from '../support/clusters.ts';
import { dieBefore } from '../support/faults.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { startWorld } from '../support/started-world.ts';

const KMS = { cluster: 'alpha', name: 'KMS' };
const NODE = { cluster: 'alpha', name: 'kubelet-n1' };

async function startedWorld(): Promise<World> {
  const world = memoryWorld();
  await startWorld(world);
  return world;
}

test('22 a cluster is made with its clients: some find theirs in the vault, the nodes get login files', async () => {
  const world = await startedWorld();
  const created = await create(world);
  assert.equal(created.cluster.state, 'Active');
  assert.deepEqual(
    created.identities.map(({ name }) => name),
    ['KMS', 'CSI', 'CertManager', 'CloudProvider', 'kubelet-n1', 'kubelet-n2'],
  );
  assert.deepEqual(
    created.loginFiles.map(({ name }) => name),
    ['kubelet-n1', 'kubelet-n2'],
  );
  assert.deepEqual(created.warnings, []);
  assert.equal((await look(world, created.operation)).state, 'queued');
  await world.tick();
  const operation = await look(world, created.operation);
  assert.equal(operation.state, 'succeeded');
  assert.equal(operation.counts.done, 8);
  assert.ok(operation.operation.finishedAt !== null);
  assert.equal(operation.hasLoginFiles, false);
  const token = created.loginFiles[0]?.token.reveal() ?? '';
  const login = await logIn(world, token, requestOf(NODE, 'n1'));
  assert.equal(login.identity.name, 'kubelet-n1');
  await assertWhole(world);
  assert.deepEqual(await clusterEvents(world, 'alpha'), [
    'cluster-created',
    'operation-finished',
    'operation-started',
  ]);
});

test('22 a cluster whose clients all keep their keys needs no operation', async () => {
  const world = await startedWorld();
  const created = await create(world, { delivery: 'agent', nodes: [] });
  assert.equal(created.operation, null);
  assert.equal(created.loginFiles.length, 4);
});

test('22 a name is given once; the same request with the same key is answered again', async () => {
  const world = await startedWorld();
  const first = await create(world, {}, keyed('a-key-of-8'));
  const again = await create(world, {}, keyed('a-key-of-8'));
  assert.deepEqual(again.cluster, first.cluster);
  assert.equal(again.operation, first.operation);
  assert.deepEqual(
    again.loginFiles.map(({ token }) => token.reveal()),
    first.loginFiles.map(({ token }) => token.reveal()),
  );
  const token = first.loginFiles[0]?.token.reveal() ?? '';
  await logIn(world, token, requestOf(NODE, 'n1'));
  const used = await create(world, {}, keyed('a-key-of-8'));
  assert.deepEqual(
    used.loginFiles.map(({ name }) => name),
    ['kubelet-n2'],
  );
  await assert.rejects(create(world, {}), { code: 'AlreadyExists' });
  await assert.rejects(create(world, {}, keyed('another-key')), { code: 'AlreadyExists' });
  await assert.rejects(create(world, { nodes: [] }, keyed('a-key-of-8', 'y')), {
    code: 'IdempotencyMismatch',
  });
  await assert.rejects(create(world, { name: 'management' }), { code: 'AlreadyExists' });
});

test('22 a key is known for a day at least, and forgotten by the timer after that', async () => {
  const world = await startedWorld();
  await create(world, {}, keyed('a-key-of-8'));
  world.clock.advance(DAY_MS);
  await world.tick();
  await create(world, {}, keyed('a-key-of-8'));
  world.clock.advance(1);
  await world.tick();
  await assert.rejects(create(world, {}, keyed('a-key-of-8')), { code: 'AlreadyExists' });
});

test('22 killed wherever it is, the same request again makes the whole cluster', async () => {
  const undisturbed = await startedWorld();
  const { deps, calls } = recordCalls(undisturbed.deps);
  await create(undisturbed, {}, null, deps);
  for (let n = 1; n <= calls.length; n += 3) {
    const world = await startedWorld();
    await create(world, {}, null, dieBefore(n, world.deps).deps).catch(() => undefined);
    const cluster = await world.deps.fleet.cluster('alpha');
    if (cluster?.value.state !== 'Active') {
      const created = await create(world);
      assert.equal(created.loginFiles.length, 2, `killed before call ${n}`);
      assert.equal(created.cluster.state, 'Active');
    }
    await world.tick();
    const operationId = (await readCluster(world.deps, 'alpha')).value.operationId;
    assert.equal((await look(world, operationId)).state, 'succeeded', `killed before call ${n}`);
  }
});

test('22 an unfinished cluster is not made another one, and can be deleted', async () => {
  const world = await startedWorld();
  await create(world, {}, null, dieBefore(12, world.deps).deps).catch(() => undefined);
  assert.equal((await readCluster(world.deps, 'alpha')).value.state, 'Creating');
  await assert.rejects(create(world, { nodes: [] }), { code: 'AlreadyExists' });
  await deleteCluster(world.deps, world.run, 'alpha', null, null);
  await world.tick();
  await assert.rejects(readCluster(world.deps, 'alpha'), { code: 'NotFound' });
});

test('22 a cluster may have a vault of its own: keys, tokens and bundle go there, and logins name it', async () => {
  const world = await startedWorld();
  const vaultUrl = 'https://alpha.vault.azure.net';
  await create(world, { vaultUrl });
  await world.tick();
  const own = world.clientVaultAt(vaultUrl);
  assert.equal(own.certificates.versions(vaultCertificateName(KMS)).length, 1);
  const [token] = own.secrets.versions(vaultTokenName(KMS));
  assert.ok(token !== undefined);
  assert.equal(own.secrets.versions('ca-bundle').length, 1);
  assert.equal(world.clientVault.names().includes(vaultCertificateName(KMS)), false);
  const login = await logIn(world, token.value.reveal(), null);
  assert.match(
    login.vault?.secretId ?? '',
    /^https:\/\/alpha\.vault\.azure\.net\/secrets\/client--alpha--kms\//,
  );
});

test('22 a deleted cluster is gone: its identities are revoked, its keys disabled and kept, nothing is due', async () => {
  const world = await startedWorld();
  const created = await create(world);
  await world.tick();
  const token = created.loginFiles[0]?.token.reveal() ?? '';
  const { revision } = (await readCluster(world.deps, 'alpha')).value;
  await assert.rejects(deleteCluster(world.deps, world.run, 'alpha', [String(revision + 1)], null), {
    code: 'PreconditionFailed',
  });
  const { id } = await deleteCluster(world.deps, world.run, 'alpha', [String(revision)], null);
  assert.equal((await deleteCluster(world.deps, world.run, 'alpha', null, null)).id, id);
  await assert.rejects(repair(world, 'renew'), { code: 'InUse' });
  await assert.rejects(create(world), { code: 'InUse' });
  const late = { name: 'Late', clientType: 'Node', delivery: 'agent', credentials: 'cloud' } as const;
  await assert.rejects(addIdentity(world.deps, world.run, 'alpha', late, {}), { code: 'InUse' });
  await world.tick();
  const operation = await look(world, id);
  assert.equal(operation.state, 'succeeded');
  assert.equal(operation.counts.done, 6);
  await assert.rejects(logIn(world, token, requestOf(NODE, 'n1')), { code: 'Revoked' });
  assert.deepEqual(await world.clientVault.enabledVersions(vaultCertificateName(KMS)), []);
  assert.equal(world.clientVault.versions(vaultCertificateName(KMS)).length, 1);
  const due = await world.deps.identities.due(new Date('2100-01-01'), Number.POSITIVE_INFINITY);
  assert.equal(
    due.some(({ identity }) => identity.cluster === 'alpha'),
    false,
  );
  assert.deepEqual(
    (await listClusters(world.deps)).map(({ name }) => name),
    ['management'],
  );
  await assert.rejects(deleteCluster(world.deps, world.run, 'alpha', null, null), { code: 'NotFound' });
  const events = await clusterEvents(world, 'alpha');
  assert.equal(events.filter((type) => type === 'cluster-deleted').length, 1);
});

test('22 a deleted cluster can be made again: what was before it stays dead', async () => {
  const world = await startedWorld();
  const before = await create(world);
  await world.tick();
  await deleteCluster(world.deps, world.run, 'alpha', null, null);
  await world.tick();
  const after = await create(world);
  assert.ok(after.warnings.some((warning) => warning.includes('client--alpha--kms')));
  await world.tick();
  assert.equal((await look(world, after.operation)).state, 'succeeded');
  assert.equal((await identityOf(world, KMS)).incarnation, 2);
  const old = before.loginFiles[0]?.token.reveal() ?? '';
  await assert.rejects(logIn(world, old, requestOf(NODE, 'n1')), { code: 'Expired' });
  const fresh = after.loginFiles[0]?.token.reveal() ?? '';
  await logIn(world, fresh, requestOf(NODE, 'another key'));
  await assertWhole(world);
});

test('22 the management cluster cannot be deleted', async () => {
  const world = await startedWorld();
  await assert.rejects(deleteCluster(world.deps, world.run, 'management', null, null), { code: 'InUse' });
});

test('22 a deletion that is killed wherever it is, is gone on with by the timer, and harms no cluster made later', async () => {
  const undisturbed = await startedWorld();
  await create(undisturbed);
  await undisturbed.tick();
  const { deps, calls } = recordCalls(undisturbed.deps);
  await deleteCluster(deps, undisturbed.run, 'alpha', null, null);
  await undisturbed.tick(deps);
  const states = [];
  for (let n = 1; n <= calls.length; n += 4) {
    const world = await startedWorld();
    await create(world);
    await world.tick();
    const dying = dieBefore(n, world.deps).deps;
    await deleteCluster(dying, world.run, 'alpha', null, null)
      .then(() => world.tick(dying))
      .catch(() => undefined);
    states.push((await world.deps.fleet.cluster('alpha'))?.value.state);
    for (let i = 0; i < 2; i++) {
      // A lease that died with its holder ends by itself.
      world.clock.advance(DAY_MS);
      await world.tick();
    }
    if (states.at(-1) === 'Active') continue;
    await assert.rejects(readCluster(world.deps, 'alpha'), { code: 'NotFound' }, `killed before call ${n}`);
    await create(world);
    await world.tick();
    await world.tick();
    assert.equal((await readCluster(world.deps, 'alpha')).value.state, 'Active', `killed before call ${n}`);
  }
  assert.ok(states.includes('Deleting'));
});

test('22 a cluster that nobody updates is in status and plan, and one event a period reminds of it', async () => {
  const world = await startedWorld();
  await create(world);
  const query = { cluster: 'alpha', state: null, limit: 1, cursor: null };
  const reasons = async () => (await getStatus(world.deps, query)).reasons;
  const isReported = async () => (await reasons()).find(({ code }) => code === 'ClustersNotUpdated')?.count;
  const reminders = async () =>
    (await clusterEvents(world, 'alpha')).filter((type) => type === 'update-reminder').length;
  world.clock.advance(59 * DAY_MS);
  await world.tick();
  assert.equal(await isReported(), undefined);
  world.clock.advance(DAY_MS);
  const { counts } = await getPlan(world.deps, { at: null, cluster: 'alpha', limit: 500, offset: 0 });
  assert.ok((counts['remind'] ?? 0) >= 1);
  for (let i = 0; i < 3; i++) await world.tick();
  assert.equal(await isReported(), 2);
  assert.equal(await reminders(), 1);
  world.clock.advance(60 * DAY_MS);
  await world.tick();
  assert.equal(await reminders(), 2);
  await repair(world, 'update');
  await world.tick();
  assert.equal(await isReported(), 1);
});
