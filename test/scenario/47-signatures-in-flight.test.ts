import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isActive } from '../../shared/domain/authority.ts';
import { HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { activateByHand, prepareByHand, rollNow } from '../../shared/use-cases/manage-authorities.ts';
import { planRevocation, revokeByHand, taintByHand } from '../../shared/use-cases/manage-taint.ts';
import { renewCertificate } from '../../shared/use-cases/renew-certificate.ts';
import { management } from '../support/agent.ts';
import { allIdentities } from '../support/inspect-world.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

const KMS = management('KMS');

const stateOf = async ({ deps }: World, id: string) => (await deps.fleet.authority(id))?.value.state;

/** The first authority, which nobody has tainted yet. */
async function firstId({ deps }: World): Promise<string> {
  const first = (await deps.fleet.authorities()).find(({ predecessorId }) => predecessorId === null);
  return first?.id ?? assert.fail();
}

/** An authority that has just begun to sign, and is tainted while the vault makes its first signature. */
async function taintedWhileSigning(
  andThen: (id: string, world: World) => Promise<void> = async () => {},
): Promise<{ world: World; tainted: string }> {
  const world = await startedWorld();
  const { deps, run, clock } = world;
  clock.advance(40 * 24 * HOUR_MS);
  const { id } = await prepareByHand(deps, run);
  await activateByHand(deps, run, id, true);
  const slow = interceptPorts(deps, async ({ port }, proceed) => {
    if (port === 'signer') {
      await taintByHand(deps, run, id, 'lost');
      await andThen(id, world);
    }
    return proceed();
  });
  const before = (await allIdentities(world)).find(({ name }) => name === KMS.name);
  clock.advance(10 * 24 * HOUR_MS);
  assert.equal(await renewCertificate(slow, run, KMS, before?.certificate.generation ?? 0), 'renewed');
  return { world, tainted: id };
}

test('47 what a tainted authority was asked to sign before is replaced too, and only then is it revoked', async () => {
  const { world, tainted } = await taintedWhileSigning();
  assert.equal(await stateOf(world, tainted), 'Tainted');
  for (let i = 0; i < 10 && (await stateOf(world, tainted)) === 'Tainted'; i++) {
    world.clock.advance(30 * MINUTE_MS);
    await world.tick();
  }
  assert.equal(await stateOf(world, tainted), 'Revoked');
  const active = (await world.deps.fleet.authorities()).find(isActive);
  const kms = (await allIdentities(world)).find(({ name }) => name === KMS.name);
  assert.equal(kms?.certificate.head?.authorityId, active?.id);
});

test('47 an operator is told that signatures may still come, and may revoke all the same', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { id } = await prepareByHand(deps, run);
  await activateByHand(deps, run, id, true);
  await taintByHand(deps, run, id, 'lost');
  assert.equal((await planRevocation(deps, id)).affected.length, 0);
  await assert.rejects(revokeByHand(deps, run, id, false), /signatures that it was asked for/);
  await rollNow(deps, run);
  assert.equal(await stateOf(world, id), 'Tainted');
  world.clock.advance(HOUR_MS);
  assert.deepEqual((await planRevocation(deps, id)).blockedBy, []);
  assert.equal((await revokeByHand(deps, run, id, false)).state, 'Revoked');
});

test('47 what lies in vaults is replaced at once when its authority is revoked by force, and what comes late as well', async () => {
  const { world, tainted } = await taintedWhileSigning(async (id, { deps, run }) => {
    await revokeByHand(deps, run, id, true);
  });
  const { deps, run } = world;
  const first = await firstId(world);
  await taintByHand(deps, run, first, 'lost too');
  await revokeByHand(deps, run, first, true);
  for (let i = 0; i < 3; i++) {
    world.clock.advance(15 * MINUTE_MS);
    await world.tick();
  }
  const active = (await deps.fleet.authorities()).find(isActive);
  const signers = (await allIdentities(world)).flatMap(
    ({ certificate: { head } }) => head?.authorityId ?? [],
  );
  assert.notEqual(active?.id, tainted);
  assert.deepEqual(new Set(signers), new Set([active?.id]));
});
