/** 46 A renewal that began under one authority ends under the next. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import { activateAuthority, publishAuthority } from '../../shared/use-cases/authority-steps.ts';
import { prepareSuccessor } from '../../shared/use-cases/prepare-successor.ts';
import { identityOf, KMS } from '../support/agent.ts';
import { eventsOf } from '../support/events.ts';
import { refuseCalls } from '../support/faults.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

test('46 an attempt of an authority that signs no more is given up, and the next one signs another', async () => {
  const world = await startedWorld();
  world.clock.advance(46 * DAY_MS);
  await world.tick(refuseCalls(world.deps, ({ port }) => port === 'signer'));
  const { attempt } = (await identityOf(world, KMS)).certificate;
  assert.ok(attempt !== null);
  const next = await prepareSuccessor(world.deps, world.run);
  await publishAuthority(world.deps, world.run, next?.id ?? '');
  await activateAuthority(world.deps, world.run, next?.id ?? '');
  assert.equal((await readActiveAuthority(world.deps)).id, next?.id);
  world.clock.advance(DAY_MS);
  await world.tick();
  const { head } = (await identityOf(world, KMS)).certificate;
  assert.equal(head?.authorityId, next?.id);
  assert.notEqual(head?.serialNumber, attempt.serialNumber);
  const abandoned = (await eventsOf(world, KMS)).find(({ type }) => type === 'certificate-attempt-abandoned');
  assert.equal(abandoned?.target.authorityId, attempt.authorityId);
  await assertWhole(world);
});
