import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ActiveAuthority, isActive } from '../../shared/domain/authority.ts';
import { DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { encodePem } from '../../shared/pki/pem.ts';
import { bundleOf, readAuthorities } from '../../shared/use-cases/authorities.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { prepareByHand } from '../../shared/use-cases/manage-authorities.ts';
import { rollAuthority } from '../../shared/use-cases/roll-authority.ts';
import { logIn, NODE_AGENT, requestOf } from '../support/agent.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { rotate } from '../support/operator-actions.ts';
import { acceptedPeriods, readCertificates } from '../support/path-validation.ts';
import { readyKeys } from '../support/ready-keys.ts';

async function activeIn(world: World): Promise<ActiveAuthority> {
  return (await readAuthorities(world.deps)).all.find(isActive) ?? assert.fail('nobody signs');
}

/** The first authority has just been followed by the second, which has signed nothing yet, and is tainted now. */
async function taintedEarly(isNextPrepared = false): Promise<{ world: World; bundle: string }> {
  const world = memoryWorld({}, readyKeys(2));
  await firstStart(world.deps, world.run);
  // Nobody has a certificate any more that would have to be waited for.
  world.clock.advance(183 * DAY_MS);
  await rollAuthority(world.deps, world.run);
  const { all, active, bundle } = await readAuthorities(world.deps);
  assert.deepEqual(all.map(({ state }) => state).sort(), ['Active', 'Retiring']);
  if (isNextPrepared) await prepareByHand(world.deps, world.run);
  const stored = await world.deps.fleet.authority(active?.id ?? '');
  assert.ok(stored !== null);
  const taintedAt = world.clock.now();
  await world.deps.fleet.replaceAuthority({ ...stored.value, state: 'Tainted', taintedAt }, stored.etag);
  return { world, bundle: bundle.pem };
}

test('50 who has a certificate of a retiring authority accepts the one that follows a tainted one', async () => {
  await assertFollowedUnnoticed(await taintedEarly());
});

test('50 and also one that was prepared before the taint, when the other alone vouched for it', async () => {
  await assertFollowedUnnoticed(await taintedEarly(true));
});

async function assertFollowedUnnoticed({ world, bundle }: Awaited<ReturnType<typeof taintedEarly>>) {
  await rollAuthority(world.deps, world.run);
  world.clock.advance(HOUR_MS);
  await rollAuthority(world.deps, world.run);
  const next = await activeIn(world);
  assert.equal(next.crossCertificates.length, 2);
  const { all } = await readAuthorities(world.deps);
  const states = all.map(({ state }) => state).sort();
  assert.deepEqual(states, ['Active', 'Retiring', 'Revoked'], 'the tainted one had signed nothing');

  const token = (await rotate(world, NODE_AGENT)).token.reveal();
  const { certificate, chain } = await logIn(world, token, requestOf(NODE_AGENT, 'after the taint'));
  const [leaf] = readCertificates(certificate);
  assert.ok(leaf !== undefined);
  const now = world.clock.now().getTime();
  const isAccepted = (anchors: string) =>
    acceptedPeriods(leaf, readCertificates(chain), readCertificates(anchors), 'client').some(
      ({ from, to }) => from <= now && now < to,
    );
  assert.equal(isAccepted(bundle), true, 'of before the taint');
  assert.equal(isAccepted(bundleOf(all).pem), true, 'of now');
  const revoked = all.find(({ state }) => state === 'Revoked')?.certificate ?? assert.fail();
  assert.equal(isAccepted(encodePem('CERTIFICATE', revoked)), false, 'the tainted one alone');
}
