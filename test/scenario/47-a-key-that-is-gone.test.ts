/** 47 Whoever hears that an authority's key is stolen disables it in the vault first. Nothing else must wait for that key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { vaultAuthorityName } from '../../shared/domain/names.ts';
import { readAuthorities } from '../../shared/use-cases/authorities.ts';
import { revokeByHand, taintByHand } from '../../shared/use-cases/manage-taint.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { rollAuthority } from '../../shared/use-cases/roll-authority.ts';
import { KMS } from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';
import { onlyAuthorityId, publish, servedList } from '../support/revocation-lists.ts';

const ALL = { instance: null, serialNumber: null };

async function disableKey({ authorityVault }: World, id: string): Promise<void> {
  const name = vaultAuthorityName(id);
  for (const version of await authorityVault.enabledVersions(name))
    await authorityVault.disable(name, version);
}

const stateOf = async ({ deps }: World, id: string) => (await deps.fleet.authority(id))?.value.state;

test('47 a tainted authority whose key is disabled is followed at once, without its cross certificate', async () => {
  const world = await startedWorld();
  const id = await onlyAuthorityId(world);
  await disableKey(world, id);
  await taintByHand(world.deps, world.run, id, 'stolen');
  const { active } = await readAuthorities(world.deps);
  assert.ok(active !== null && active.id !== id);
  assert.deepEqual(
    active.crossCertificates.map(({ certificate }) => certificate),
    [null],
  );
  assert.ok(world.lines.some((line) => /^warn: .* goes without the cross certificate/.test(line)));
});

test('47 a vault that is away for a moment costs the cross certificate of a tainted authority nothing', async () => {
  const world = await startedWorld();
  const id = await onlyAuthorityId(world);
  const old = (await world.deps.fleet.authority(id))?.value.keyId;
  const deaf = refuseCalls(world.deps, ({ port, args }) => port === 'signer' && args[0] === old);
  await taintByHand(deaf, world.run, id, 'stolen');
  assert.equal((await readAuthorities(world.deps)).active, null);
  await rollAuthority(world.deps, world.run);
  const { active } = await readAuthorities(world.deps);
  assert.equal(active?.crossCertificates.filter(({ certificate }) => certificate !== null).length, 1);
});

test('47 a list that cannot be signed keeps no note of what the others’ lists say already', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const first = await onlyAuthorityId(world);
  await taintByHand(deps, run, first, 'stolen');
  world.clock.advance(DAY_MS);
  await world.tick();
  const { active } = await readAuthorities(deps);
  const { head } = (await deps.identities.identity(KMS))?.value.certificate ?? {};
  assert.ok(active !== null && head?.authorityId === active.id);
  await disableKey(world, first);
  await revoke(deps, run, KMS, ALL, 'superseded');
  await assert.rejects(publish(world), { code: 'VaultAccessDenied' });
  assert.deepEqual(
    [...(await servedList(world, active.id)).entries()].map(({ serialNumber }) => serialNumber),
    [head.serialNumber],
  );
  // KMS had a certificate of the tainted one as well, whose list is still to say so.
  assert.equal((await deps.crl.notes(9)).length, 1);
  await revokeByHand(deps, run, first, true);
  await world.tick();
  assert.deepEqual(await deps.crl.notes(9), []);
});

test('47 nobody waits for the last list of an authority whose key is disabled', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const id = await onlyAuthorityId(world);
  await taintByHand(deps, run, id, 'stolen');
  await disableKey(world, id);
  await revokeByHand(deps, run, id, true);
  assert.equal(await stateOf(world, id), 'Revoked');
  assert.ok((await deps.fleet.authority(id))?.value.keyDisabledAt);
  await publish(world);
});
