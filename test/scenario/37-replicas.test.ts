/** 37 Replicas that share one login file: each has a line of its own, and none stands in another's way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { revokeInstance } from '../../shared/use-cases/revoke.ts';
import { NODE_AGENT, tokenFromLoginFile } from '../support/agent.ts';
import { statusOf } from '../support/agent-fleet.ts';
import { eventsOf } from '../support/events.ts';
import { HonestAgent } from '../support/honest-agent.ts';
import { assertWhole } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

interface Replicas {
  readonly world: World;
  readonly replicas: readonly [HonestAgent, HonestAgent, HonestAgent];
}

async function threeReplicas(): Promise<Replicas> {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const replica = () => new HonestAgent(world, NODE_AGENT, token, { checkInDays: 10 });
  const replicas = [replica(), replica(), replica()] as const;
  for (const one of replicas) await one.wake();
  return { world, replicas: [...replicas] };
}

test('37 three replicas live for half a year from one login file, and each keeps its own key and line', async () => {
  const { world, replicas } = await threeReplicas();
  const lines = replicas.map(({ held }) => held.answer.instance);
  assert.equal(new Set(lines).size, 3);
  for (let day = 0; day < 180; day++) {
    world.clock.advance(DAY_MS);
    for (const one of replicas) {
      await one.wake();
      assert.ok(Date.parse(one.held.answer.notAfter) >= world.clock.now().getTime());
      assert.ok(one.tokenEnd >= world.clock.now());
    }
  }
  assert.deepEqual(
    replicas.map(({ held }) => held.answer.instance),
    lines,
  );
  for (const { held } of replicas) assert.ok(held.answer.renewCount >= 3);
  const { state, instances } = await statusOf(world);
  assert.deepEqual([state, instances], ['Healthy', { live: 3, locked: 0 }]);
  const logins = (await eventsOf(world, NODE_AGENT)).filter(({ type }) => type === 'login');
  assert.deepEqual(
    logins.map(({ details }) => details['newInstance']),
    [true, true, true],
  );
  await assertWhole(world);
});

test('37 the first of them that rotates gives them all the same next token, which none of them loses by it', async () => {
  const { world, replicas } = await threeReplicas();
  const [first, second, third] = replicas;
  const { token } = first;
  world.clock.advance(20 * DAY_MS);
  for (const one of [first, second]) await one.rotateToken();
  assert.equal(second.token, first.token);
  await third.takeLoginFile(token);
  await first.takeLoginFile(first.token);
  // With its first use the old one has ended; whoever still has that in its file goes on with its key.
  await assert.rejects(third.takeLoginFile(token), { code: 'Expired' });
  await third.rotateToken();
  await third.takeLoginFile(third.token);
  for (const one of replicas) await one.wake();
  assert.deepEqual((await statusOf(world)).instances, { live: 3, locked: 0 });
});

test('37 a replica that is thrown away is revoked alone', async () => {
  const { world, replicas } = await threeReplicas();
  const [gone, ...others] = replicas;
  const { instance } = gone.held.answer;
  await revokeInstance(world.deps, world.run, NODE_AGENT, instance, 'cessationOfOperation');
  await assert.rejects(gone.checkIn(), { code: 'Revoked' });
  await assert.rejects(gone.renew(), { code: 'Revoked' });
  for (const one of others) {
    await one.renew();
    await one.checkIn();
  }
  const lines = await world.deps.identities.instances(NODE_AGENT);
  assert.deepEqual(
    lines.filter(({ revokedAt }) => revokedAt !== null).map(({ id }) => id),
    [instance],
  );
  assert.deepEqual((await statusOf(world)).instances, { live: 2, locked: 0 });
});
