/** 34 A node that was off during two monthly updates (24 tells of its login files; here its agent does it all by itself). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { statusOf } from '../support/agent-fleet.ts';
import { createdCluster } from '../support/cluster-of-agents.ts';
import { look, repair } from '../support/clusters.ts';
import type { HonestAgent } from '../support/honest-agent.ts';
import { assertWhole } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

/** The days go by, and with each of them the agents that are on. */
async function live(world: World, days: number, agents: readonly HonestAgent[]): Promise<void> {
  for (let day = 0; day < days; day++) {
    world.clock.advance(DAY_MS);
    for (const agent of agents) await agent.wake();
    for (const agent of agents) await agent.wake();
    if (day % 5 === 0) await world.tick();
  }
}

interface Story {
  readonly world: World;
  /** The one that was off. */
  readonly node: HonestAgent;
  readonly first: string;
  readonly second: string;
}

/** Two nodes, of which one is off from the tenth day on; an update on the twentieth day and one thirty days later. */
async function twoUpdates(): Promise<Story> {
  const world = await startedWorld();
  const [node, other] = await createdCluster(world, 'alpha', 2);
  assert.ok(node !== undefined && other !== undefined);
  await live(world, 10, [node, other]);
  const ids: string[] = [];
  for (const days of [10, 30]) {
    await live(world, days, [other]);
    ids.push((await repair(world, 'update')).id);
    await world.tick();
  }
  return { world, node, first: ids[0] ?? '', second: ids[1] ?? '' };
}

const waitingFor = async (world: World, id: string, { id: { name } }: HonestAgent) =>
  (await look(world, id)).items
    .filter(({ item, progress }) => item.name === name && progress.state === 'waiting')
    .map(({ item }) => item.credential)
    .sort();

test('34 with a certificate that is still good it comes back as if nothing had been, and does what both updates ask', async () => {
  const { world, node, first, second } = await twoUpdates();
  const { instance, serialNumber } = node.held.answer;
  const { token } = node;
  await live(world, 10, []);
  for (const id of [first, second]) {
    assert.deepEqual(await waitingFor(world, id, node), ['certificate', 'token']);
  }

  await live(world, 2, [node]);
  assert.equal(node.held.answer.instance, instance);
  assert.notEqual(node.held.answer.serialNumber, serialNumber);
  for (const id of [first, second]) {
    assert.deepEqual(await waitingFor(world, id, node), ['token'], 'it has no token of the updates');
  }

  // Its own token goes on, and what it rotates to is what the second update made.
  await node.takeLoginFile(token);
  await node.rotateToken();
  for (const id of [first, second]) assert.deepEqual(await waitingFor(world, id, node), []);
  await node.takeLoginFile(node.token);
  assert.equal((await statusOf(world, node.id)).state, 'Healthy');
  await assertWhole(world);
});

test('34 with a certificate that has ended, and the token of before both updates, it comes back by its key', async () => {
  const { world, node, first, second } = await twoUpdates();
  await live(world, 50, []);
  const { state, nextStep, offlineDays } = await statusOf(world, node.id);
  assert.deepEqual([state, nextStep.action], ['CertificateExpired', 'agent-recover']);
  assert.ok(offlineDays > 0);
  await live(world, 2, [node]);
  assert.equal((await statusOf(world, node.id)).state, 'Healthy');
  // It has rotated by itself.
  for (const id of [first, second]) assert.deepEqual(await waitingFor(world, id, node), []);
  await node.takeLoginFile(node.token);
  await assertWhole(world);
});
