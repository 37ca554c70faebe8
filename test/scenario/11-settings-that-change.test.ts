import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName } from '../../shared/domain/names.ts';
import type { Policy } from '../../shared/domain/policy.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { identityOf, KMS } from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { memoryWorld } from '../support/memory-world.ts';

const withPolicy = (deps: Deps, policy: Partial<Policy>): Deps => ({
  ...deps,
  policy: { ...deps.policy, ...policy },
});

test('11 an attempt that was begun under a longer policy makes way for one of the new length', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const name = vaultCertificateName(KMS);
  const broken = refuseCalls(
    world.deps,
    ({ port, args }) => port === 'clientVault' && args[0] === name,
    () => true,
  );
  world.clock.advance(46 * DAY_MS);
  await world.tick(broken);
  assert.equal((await identityOf(world, KMS)).certificate.attempt === null, false);

  world.clock.advance(DAY_MS);
  await world.tick(withPolicy(world.deps, { certificateValidityDays: 60 }));
  const { head, attempt, failure } = (await identityOf(world, KMS)).certificate;
  assert.equal(failure, null);
  assert.equal(attempt, null);
  assert.ok(head !== null);
  assert.equal(head.notAfter.getTime() - head.issuedAt.getTime(), 60 * DAY_MS - 1000);
});

test('11 an authority that is not signed yet lives as long as the settings say when it is', async () => {
  const world = memoryWorld();
  const noVault = refuseCalls(
    world.deps,
    ({ port }) => port === 'authorityVault',
    () => true,
  );
  await assert.rejects(firstStart(noVault, world.run));
  const planned = await world.deps.fleet.authorities();
  assert.equal(planned.length, 1);

  await firstStart(withPolicy(world.deps, { authorityValidityDays: 180 }), world.run);
  const [authority] = await world.deps.fleet.authorities();
  assert.ok(authority !== undefined);
  assert.equal(authority.state, 'Active');
  assert.equal(authority.serialNumber, planned[0]?.serialNumber);
  assert.equal(authority.notAfter.getTime() - authority.issuedAt.getTime(), 180 * DAY_MS - 1000);
});
