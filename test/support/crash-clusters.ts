import assert from 'node:assert/strict';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { advanceOperation } from '../../shared/use-cases/advance-operation.ts';
import { readCluster } from '../../shared/use-cases/clusters.ts';
import { createIdentity } from '../../shared/use-cases/create-identity.ts';
import { deleteCluster } from '../../shared/use-cases/delete-cluster.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { readRotationKey } from '../../shared/use-cases/tokens.ts';
import { create, look, repair } from './clusters.ts';
import { hoursPass, type Scene } from './crash-flows.ts';
import type { World } from './memory-world.ts';

/** An operator makes a cluster, and asks again until there is an answer. */
export async function clusterScene(world: World): Promise<Scene> {
  await firstStart(world.deps, world.run);
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
      return [];
    },
  };
}

/** A cluster of one client in the vault and one node, without the three others: the steps repeat for each. */
async function smallCluster(world: World): Promise<void> {
  await firstStart(world.deps, world.run);
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

/** An operator updates a cluster, and asks again when there was no answer and no operation began. */
export async function updateScene(world: World): Promise<Scene> {
  await smallCluster(world);
  world.clock.advance(DAY_MS);
  return {
    act: (deps) => withWorker(world, deps, () => repair(world, 'update', {}, deps)),
    goOn: async () => {
      const [id] = await world.deps.operations.open();
      const operation = id ?? (await repair(world, 'update')).id;
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
      await assert.rejects(readCluster(world.deps, 'alpha'), { code: 'NotFound' });
      assert.deepEqual(await world.deps.operations.open(), []);
      return [];
    },
  };
}
