/** 38 A machine is cloned with its disk: two hold one key, one certificate and one token, and both mean well. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { unlockInstance } from '../../shared/use-cases/manage-instances.ts';
import { NODE_AGENT, tokenFromLoginFile } from '../support/agent.ts';
import { statusOf } from '../support/agent-fleet.ts';
import { eventsOf } from '../support/events.ts';
import { HonestAgent } from '../support/honest-agent.ts';
import { assertWhole } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

/** A node and its clone on the day after both should have renewed. The clone comes second. */
async function twins(): Promise<{ world: World; node: HonestAgent; clone: HonestAgent }> {
  const world = await startedWorld();
  const node = new HonestAgent(world, NODE_AGENT, await tokenFromLoginFile(world, NODE_AGENT));
  await node.wake();
  world.clock.advance(30 * DAY_MS);
  const clone = node.clone();
  // As long as nobody renews nothing tells them apart.
  await node.wake();
  await clone.wake();
  assert.deepEqual((await statusOf(world)).instances, { live: 1, locked: 0 });
  world.clock.advance(16 * DAY_MS);
  await node.wake();
  return { world, node, clone };
}

const locks = async (world: World) =>
  (await eventsOf(world, NODE_AGENT)).filter(({ type }) => type === 'instance-locked');

test('38 the second to renew gives the copy away: the line is locked, and an operator is told where to look', async () => {
  const { world, node, clone } = await twins();
  const { instance } = node.held.answer;
  await assert.rejects(clone.renew(), { code: 'Locked' });
  const [event, ...more] = await locks(world);
  assert.equal(more.length, 0);
  assert.deepEqual([event?.outcome, event?.details['instance']], ['denied', instance]);
  await assert.rejects(node.checkIn(), { code: 'Locked' });
  const { state, nextStep } = await statusOf(world);
  assert.deepEqual([state, nextStep.action], ['Locked', 'operator-unlock']);
  assert.match(nextStep.route ?? '', new RegExp(`/instances/${instance}/unlock$`));
});

test('38 left alone, both log in again with keys of their own, and from then on they are two replicas', async () => {
  const { world, node, clone } = await twins();
  const line = node.held.answer.instance;
  await clone.renewOrLogIn();
  await node.renewOrLogIn();
  const both = [node, clone].map(({ held }) => held.answer.instance);
  assert.equal(new Set([line, ...both]).size, 3);
  assert.deepEqual((await statusOf(world)).instances, { live: 2, locked: 1 });
  for (let day = 0; day < 100; day += 5) {
    world.clock.advance(5 * DAY_MS);
    for (const one of [node, clone]) await one.wake();
  }
  assert.equal((await locks(world)).length, 1, 'they do not meet again');
  assert.deepEqual(
    [node, clone].map(({ held }) => held.answer.instance),
    both,
  );
  await assertWhole(world);
});

test('38 when the clone is gone an operator unlocks the line, and the node goes on with it', async () => {
  const { world, node, clone } = await twins();
  const { instance, serialNumber } = node.held.answer;
  await assert.rejects(clone.renew(), { code: 'Locked' });
  const locked = (await world.deps.identities.instances(NODE_AGENT)).filter(
    ({ lockedAt }) => lockedAt !== null,
  );
  assert.deepEqual(
    locked.map(({ id }) => id),
    [instance],
  );
  await unlockInstance(world.deps, world.run, NODE_AGENT, instance);
  await node.wake();
  assert.equal(node.held.answer.serialNumber, serialNumber);
  assert.equal((await statusOf(world)).state, 'Healthy');

  // Had it not gone, it would lock the line again with its next try: the certificate that it copied was replaced.
  world.clock.advance(MINUTE_MS);
  await assert.rejects(clone.checkIn(), { code: 'Expired' });
  await node.checkIn();
  await assert.rejects(clone.renew(), { code: 'Locked' });
});
