/** A deletion that is killed before it has disabled what the vault holds, and never asked for again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName } from '../../shared/domain/names.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { identityOf, KMS } from '../support/agent.ts';
import { interceptPorts, recordCalls } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

const NAME = vaultCertificateName(KMS);

async function deleteAndDie(world: World): Promise<void> {
  const dying = interceptPorts(world.deps, async ({ port, method }, proceed) => {
    if (port === 'clientVault' && method === 'discardPending') throw new Error('killed');
    return proceed();
  });
  await assert.rejects(deleteIdentity(dying, world.run, KMS), /killed/);
  assert.ok((await identityOf(world, KMS)).deletedAt !== null);
}

test('12 reconcile disables the keys that a killed deletion left, and says so once', async () => {
  const world = await startedWorld();
  await deleteAndDie(world);
  assert.equal((await world.clientVault.enabledVersions(NAME)).length, 1);
  world.clock.advance(DAY_MS);
  assert.deepEqual((await reconcile(world.deps, world.run))?.found, { 'vault-version-left': 1 });
  assert.deepEqual(await world.clientVault.enabledVersions(NAME), []);
  assert.deepEqual((await reconcile(world.deps, world.run))?.found, {});
});

test('12 a request that a killed deletion left in the vault goes as well', async () => {
  const world = await startedWorld();
  await deleteAndDie(world);
  for (const version of await world.clientVault.enabledVersions(NAME)) {
    await world.clientVault.disable(NAME, version);
  }
  const identity = await identityOf(world, KMS);
  await world.clientVault.request(NAME, {
    keyType: 'RSA-2048',
    exportable: true,
    reuseKey: false,
    commonName: identity.name,
    organization: identity.cluster,
    dnsNames: [],
    usage: 'client',
  });
  assert.deepEqual((await reconcile(world.deps, world.run))?.found, { 'vault-version-left': 1 });
  assert.notEqual((await world.clientVault.pending(NAME)).state, 'waiting');
});

test('12 a week after its deletion nobody asks the vault about an identity any more', async () => {
  const world = await startedWorld();
  await deleteIdentity(world.deps, world.run, KMS);
  const asked = async () => {
    const { deps, calls } = recordCalls(world.deps);
    await reconcile(deps, world.run);
    return calls.filter((call) => call === 'clientVault.enabledVersions').length;
  };
  assert.equal(await asked(), 1);
  world.clock.advance(8 * DAY_MS);
  assert.equal(await asked(), 0);
});
