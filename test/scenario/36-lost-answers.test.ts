/** 36 Answers that are lost on their way, each twice: the agent asks again, and nothing has happened twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { NODE_AGENT, tokenFromLoginFile } from '../support/agent.ts';
import { statusOf } from '../support/agent-fleet.ts';
import { eventsOf } from '../support/events.ts';
import { AnswerLost, type Habits, HonestAgent } from '../support/honest-agent.ts';
import { allCertificates, assertWhole } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

async function freshAgent(world: World, habits: Partial<Habits> = {}): Promise<HonestAgent> {
  return new HonestAgent(world, NODE_AGENT, await tokenFromLoginFile(world, NODE_AGENT), habits);
}

/** The next two answers are lost, and the agent tries again after so long each time. */
async function losingTwo(world: World, agent: HonestAgent, pauseMs: number): Promise<void> {
  agent.lostAnswers = 2;
  for (let time = 0; time < 2; time++) {
    await assert.rejects(agent.wake(), AnswerLost);
    world.clock.advance(pauseMs);
  }
  await agent.wake();
}

const issued = async (world: World) =>
  (await allCertificates(world)).filter(({ identity }) => identity.name === NODE_AGENT.name).length;
const countOf = async (world: World, type: string) =>
  (await eventsOf(world, NODE_AGENT)).filter((event) => event.type === type).length;

/** One line, unlocked, and an agent that lacks nothing. */
async function assertUnharmed(world: World, agent: HonestAgent): Promise<void> {
  const lines = await world.deps.identities.instances(NODE_AGENT);
  assert.deepEqual(
    lines.map(({ id, lockedAt }) => [id, lockedAt]),
    [[agent.held.answer.instance, null]],
  );
  assert.equal(lines[0]?.head.serialNumber, agent.held.answer.serialNumber);
  assert.equal((await statusOf(world)).state, 'Healthy');
  assert.equal(await countOf(world, 'instance-locked'), 0);
  await assertWhole(world, [agent.held.certificate]);
}

test('36 two answers to a login are lost within ten minutes: the third is the same certificate', async () => {
  const world = await startedWorld();
  const agent = await freshAgent(world);
  await losingTwo(world, agent, 4 * MINUTE_MS);
  assert.equal(await issued(world), 1);
  assert.equal(await countOf(world, 'login'), 1);
  await assertUnharmed(world, agent);
});

test('36 two answers to a login are lost, and it asks again a day later: another certificate, in the same line', async () => {
  const world = await startedWorld();
  const agent = await freshAgent(world);
  await losingTwo(world, agent, DAY_MS);
  assert.equal(await issued(world), 3);
  await assertUnharmed(world, agent);
});

for (const proof of ['jws', 'csr'] as const) {
  for (const [pause, pauseMs] of [
    ['a minute', MINUTE_MS],
    ['five days', 5 * DAY_MS],
  ] as const) {
    test(`36 two answers to a renewal by ${proof} are lost, ${pause} apart: the third is the same certificate`, async () => {
      const world = await startedWorld();
      const agent = await freshAgent(world, { proof });
      await agent.wake();
      world.clock.advance(45 * DAY_MS + HOUR_MS);
      await losingTwo(world, agent, pauseMs);
      assert.equal(await issued(world), 2);
      assert.equal(await countOf(world, 'certificate-renewed'), 1);
      assert.equal(agent.held.answer.renewCount, 1);
      await agent.wake();
      await assertUnharmed(world, agent);
    });
  }
}

test('36 two answers to a rotation are lost: the third is the same token, and the one before works until it is used', async () => {
  const world = await startedWorld();
  const agent = await freshAgent(world);
  await agent.wake();
  const { token } = agent;
  agent.lostAnswers = 2;
  for (let time = 0; time < 2; time++) {
    await assert.rejects(agent.rotateToken(), AnswerLost);
    world.clock.advance(DAY_MS);
    assert.equal(agent.token, token);
  }
  await agent.rotateToken();
  assert.equal(await countOf(world, 'token-rotated'), 1);
  await agent.takeLoginFile(token);
  const { token: next } = await rotated(agent);
  await agent.takeLoginFile(next);
  await assert.rejects(agent.takeLoginFile(token), { code: 'Expired' });
  assert.equal(await countOf(world, 'token-rotated'), 1);
});

/** The agent after one more rotation. */
async function rotated(agent: HonestAgent): Promise<HonestAgent> {
  await agent.rotateToken();
  return agent;
}

test('36 in the end two answers of every kind are lost, one after the other, and the agent lives on for months', async () => {
  const world = await startedWorld();
  const agent = await freshAgent(world);
  await losingTwo(world, agent, MINUTE_MS);
  for (let day = 1; day <= 200; day++) {
    world.clock.advance(DAY_MS);
    if (agent.nextAt > world.clock.now()) continue;
    // What it asks for first today is answered into the void, twice.
    await losingTwo(world, agent, HOUR_MS);
    await agent.wake();
  }
  assert.equal(agent.held.answer.renewCount, await countOf(world, 'certificate-renewed'));
  await agent.takeLoginFile(agent.token);
  await assertUnharmed(world, agent);
});
