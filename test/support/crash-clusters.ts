import assert from 'node:assert/strict';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { VAULT_BUNDLE_NAME } from '../../shared/domain/names.ts';
import { advanceOperation } from '../../shared/use-cases/advance-operation.ts';
import { readCluster } from '../../shared/use-cases/clusters.ts';
import { createIdentity } from '../../shared/use-cases/create-identity.ts';
import { deleteCluster } from '../../shared/use-cases/delete-cluster.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { issueLoginFile } from '../../shared/use-cases/manage-identity.ts';
import { operationLoginFiles } from '../../shared/use-cases/operation-login-files.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { startRepair } from '../../shared/use-cases/start-operation.ts';
import { tendFleet } from '../../shared/use-cases/tend-fleet.ts';
import { readRotationKey } from '../../shared/use-cases/tokens.ts';
import { certificateOf, logIn, management, requestOf } from './agent.ts';
import { create, keyed, look, repair } from './clusters.ts';
import { hoursPass, type Scene } from './crash-flows.ts';
import type { World } from './memory-world.ts';
import { startWorld } from './started-world.ts';

/** An operator makes a cluster, and asks again until there is an answer. */
export async function clusterScene(world: World): Promise<Scene> {
  await startWorld(world);
  const spec = { nodes: ['n1'] };
  return {
    act: (deps) => create(world, spec, null, deps),
    goOn: async () => {
      const stored = await world.deps.fleet.cluster('alpha');
      if (stored?.value.state !== 'Active') await create(world, spec);
      await hoursPass(world);
      const { value } = await readCluster(world.deps, 'alpha');
      assert.equal(value.state, 'Active');
      assert.equal((await look(world, value.operationId)).state, 'succeeded');
      // Without a key a lost answer is not repeated: the login file comes by hand.
      await issueLoginFile(world.deps, world.run, { cluster: 'alpha', name: 'kubelet-n1' }, false);
      return [];
    },
  };
}

/** A cluster of one client in the vault and one node, without the three others: the steps repeat for each. */
async function smallCluster(world: World): Promise<void> {
  await startWorld(world);
  await create(world, { nodes: ['n1'], delivery: 'agent' });
  for (const { name } of (await world.deps.identities.identities({ cluster: 'alpha', limit: 10 })).items) {
    if (name.startsWith('kubelet')) continue;
    const id = { cluster: 'alpha', name };
    const stored = await world.deps.identities.identity(id);
    if (stored !== null) {
      const value = { ...stored.value, deletedAt: world.clock.now() };
      await world.deps.identities.commit('alpha', [
        { op: 'replace', kind: 'identity', value, etag: stored.etag },
      ]);
    }
  }
  await createIdentity(world.deps, world.run, await readRotationKey(world.deps), 'alpha', {
    name: 'Vaulted',
    clientType: 'ExternalClient',
    delivery: 'vault',
    credentials: 'cloud',
  });
  await world.tick();
}

/** What whoever asks and the first worker do together. */
async function withWorker(world: World, deps: Deps, ask: () => Promise<{ id: string }>): Promise<void> {
  const { id } = await ask();
  world.queue.takeOperations();
  await advanceOperation(deps, world.run, id);
}

/** An operator updates or repairs a cluster, and asks again when there was no answer and no operation began. */
export async function repairScene(world: World, kind: 'renew' | 'update'): Promise<Scene> {
  await smallCluster(world);
  world.clock.advance(DAY_MS);
  const ask = (deps: Deps) => repair(world, kind, { force: true }, deps);
  return {
    act: (deps) => withWorker(world, deps, () => ask(deps)),
    goOn: async () => {
      const [id] = await world.deps.operations.open();
      const operation = id ?? (await ask(world.deps)).id;
      await hoursPass(world);
      const { counts } = await look(world, operation);
      assert.deepEqual([counts.done, counts.waiting, counts.failed], [2, 2, 0]);
      return [];
    },
  };
}

/** An operator deletes a cluster, and asks again when there was no answer and the cluster is still whole. */
export async function deletionScene(world: World): Promise<Scene> {
  await smallCluster(world);
  return {
    act: (deps) => withWorker(world, deps, () => deleteCluster(deps, world.run, 'alpha', null, null)),
    goOn: async () => {
      const stored = await world.deps.fleet.cluster('alpha');
      if (stored?.value.state === 'Active') await deleteCluster(world.deps, world.run, 'alpha', null, null);
      await hoursPass(world);
      // What the vault refused, or nobody heard of, is looked after once a day.
      await reconcile(world.deps, world.run);
      await assert.rejects(readCluster(world.deps, 'alpha'), { code: 'NotFound' });
      assert.deepEqual(await world.deps.operations.open(), []);
      return [];
    },
  };
}

const KEYED_SPEC = { nodes: ['n1'], delivery: 'agent' } as const;

/** An operator makes a cluster under an Idempotency-Key: the same request again is answered with the login files. */
export async function keyedClusterScene(world: World): Promise<Scene> {
  await startWorld(world);
  const ask = (deps: Deps) => create(world, KEYED_SPEC, keyed('one'), deps);
  return {
    act: ask,
    goOn: async () => {
      const { cluster, loginFiles } = await ask(world.deps);
      assert.deepEqual([cluster.state, loginFiles.length], ['Active', 5]);
      return [];
    },
  };
}

/** An operator makes a cluster that was there before, one of whose nodes had logged in. */
export async function clusterAgainScene(world: World): Promise<Scene> {
  await startWorld(world);
  const node = { cluster: 'alpha', name: 'kubelet-n1' };
  const { loginFiles } = await create(world, KEYED_SPEC);
  const file = loginFiles.find(({ name }) => name === node.name);
  assert.ok(file !== undefined);
  const csr = requestOf(node, 'an earlier life');
  const held = await logIn(world, file.token.reveal(), csr);
  await deleteCluster(world.deps, world.run, 'alpha', null, null);
  await world.tick();
  const ask = (deps: Deps) => create(world, KEYED_SPEC, keyed('two'), deps);
  return {
    act: ask,
    goOn: async () => {
      const made = await ask(world.deps);
      assert.deepEqual([made.cluster.state, made.loginFiles.length], ['Active', 5]);
      await assert.rejects(logIn(world, file.token.reveal(), csr));
      assert.ok(made.identities.every(({ incarnation }) => incarnation === 2));
      return [certificateOf(held)];
    },
  };
}

/** A cluster has a vault of its own: what it trusts is there before its clients are. */
export async function ownVaultScene(world: World): Promise<Scene> {
  await startWorld(world);
  const ask = (deps: Deps) =>
    create(world, { ...KEYED_SPEC, vaultUrl: 'https://alpha.vault.test' }, keyed('one'), deps);
  return {
    act: ask,
    goOn: async () => {
      await ask(world.deps);
      const bundle = await world.clientVaultAt('https://alpha.vault.test').secrets.read(VAULT_BUNDLE_NAME);
      assert.ok(bundle !== null);
      return [];
    },
  };
}

/** An operator deletes a cluster under an Idempotency-Key: the same request again tells of the same operation. */
export async function keyedDeletionScene(world: World): Promise<Scene> {
  await smallCluster(world);
  const ask = (deps: Deps) =>
    deleteCluster(deps, world.run, 'alpha', null, { ...keyed('one'), method: 'DELETE' });
  return {
    act: ask,
    goOn: async () => {
      const { id } = await ask(world.deps);
      await hoursPass(world);
      await assert.rejects(readCluster(world.deps, 'alpha'), { code: 'NotFound' });
      assert.equal((await look(world, id)).state, 'succeeded');
      return [];
    },
  };
}

/** An operator repairs a cluster under an Idempotency-Key, and fetches the login files of the operation. */
export async function keyedRepairScene(world: World): Promise<Scene> {
  await smallCluster(world);
  const request = { cluster: 'alpha', kind: 'renew', credentials: ['kubelet'], force: true } as const;
  const ask = async (deps: Deps) => {
    const { id } = await startRepair(deps, world.run, request, keyed('one'));
    world.queue.takeOperations();
    await advanceOperation(deps, world.run, id);
    return operationLoginFiles(deps, world.run, id, async () => true);
  };
  return {
    act: ask,
    goOn: async () => {
      const files = await ask(world.deps);
      assert.deepEqual(
        files.map(({ name }) => name),
        ['kubelet-n1'],
      );
      await hoursPass(world);
      assert.deepEqual(await world.deps.operations.open(), []);
      return [];
    },
  };
}

/** Nobody has updated the management cluster for 60 days, and the timer says so once. */
export async function reminderScene(world: World): Promise<Scene> {
  await startWorld(world);
  // Agents that do nothing are reminded of at moments of their own, and this is about the cluster.
  for (const name of ['NodeAgent', 'Mocctl']) await deleteIdentity(world.deps, world.run, management(name));
  world.clock.advance(60 * DAY_MS - HOUR_MS);
  await world.tick();
  world.clock.advance(HOUR_MS);
  return {
    act: (deps) => tendFleet(deps, world.run),
    goOn: async () => {
      for (let tick = 0; tick < 3; tick++) {
        world.clock.advance(15 * MINUTE_MS);
        await world.tick();
      }
      return [];
    },
  };
}
