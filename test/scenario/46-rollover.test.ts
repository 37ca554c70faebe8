/** 46 A rollover that nobody notices: the authority is followed by the next one while everybody goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isActive } from '../../shared/domain/authority.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { readAuthorities } from '../../shared/use-cases/authorities.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { rollAuthority } from '../../shared/use-cases/roll-authority.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

async function statesAfter(world: World, days: number): Promise<string> {
  // In steps in which every client's certificate is renewed.
  for (let left = days; left > 0; left -= 30) {
    world.clock.advance(Math.min(left, 30) * DAY_MS);
    await world.tick();
  }
  await runTimer(world.deps, world.run, 'roll-authority', rollAuthority);
  const { all } = await readAuthorities(world.deps);
  return [...all]
    .sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime())
    .map(({ state }) => state)
    .join(' ');
}

test('46 prepared and published at half of its life, put to use on its last day, retired when nobody needs it', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  assert.equal(await statesAfter(world, 182), 'Active');
  assert.equal(await statesAfter(world, 1), 'Active Published');
  assert.equal(await statesAfter(world, 91), 'Active Published');
  assert.equal(await statesAfter(world, 1), 'Retiring Active');
  assert.equal(await statesAfter(world, 89), 'Retiring Active');
  assert.equal(await statesAfter(world, 1), 'Retired Active');
  const { all, bundle } = await readAuthorities(world.deps);
  const active = all.find(isActive);
  assert.equal(active?.crossCertificates.length, 1);
  const deployment = (await world.deps.fleet.deployment())?.value;
  assert.deepEqual(
    [deployment?.activeAuthorityId, deployment?.nextAuthorityId, deployment?.deliveredBundleId],
    [active?.id, null, bundle.id],
  );
});
