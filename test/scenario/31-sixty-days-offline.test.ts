/** 31 Machines that are off for long: they come back by themselves for as long as status said they would. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import type { Policy } from '../../shared/domain/policy.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { NODE_AGENT, tokenFromLoginFile } from '../support/agent.ts';
import { statusOf } from '../support/agent-fleet.ts';
import { eventsOf } from '../support/events.ts';
import { HonestAgent } from '../support/honest-agent.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { rotate } from '../support/operator-actions.ts';
import { readyKeys } from '../support/ready-keys.ts';

/** RSA keys that the vault hands out in turn: making them is not what this is about. */
const KEYS = 19;

interface Node {
  readonly world: World;
  readonly agent: HonestAgent;
}

/** A node that has lived as it should until that day, and is switched off then. */
async function nodeThatGoesOff(day: number, policy: Partial<Policy> = {}): Promise<Node> {
  const world = memoryWorld(policy, readyKeys(KEYS));
  await firstStart(world.deps, world.run);
  const agent = new HonestAgent(world, NODE_AGENT, await tokenFromLoginFile(world, NODE_AGENT));
  await agent.wake();
  for (let today = 0; today < day; today++) {
    world.clock.advance(DAY_MS);
    await agent.wake();
  }
  return { world, agent };
}

/** So many days go by without the node; the timers tick as ever. */
async function off(world: World, days: number): Promise<void> {
  for (let day = 0; day < days; day += 10) {
    world.clock.advance(Math.min(10, days - day) * DAY_MS);
    await world.tick();
  }
}

const typesOf = async (world: World) => (await eventsOf(world, NODE_AGENT)).map(({ type }) => type);

test('31 after sixty days off both credentials have ended, and the node is back with its key alone', async () => {
  const { world, agent } = await nodeThatGoesOff(35);
  assert.ok((await statusOf(world)).offlineDays >= 60, 'status said so');
  await off(world, 60);
  const { state, nextStep, recovery } = await statusOf(world);
  assert.deepEqual([state, nextStep.action, recovery.left], ['BothExpired', 'agent-recover', 3]);
  const { instance } = agent.held.answer;

  await agent.wake();
  assert.equal(agent.held.answer.instance, instance);
  assert.equal((await statusOf(world)).state, 'Healthy', 'it has rotated its token as well');
  assert.ok(agent.tokenEnd > world.clock.now());
  assert.ok((await typesOf(world)).includes('recovery-used'));
  await agent.takeLoginFile(agent.token);
  await assertWhole(world);
});

test('31 sixty days off with a certificate that ended long ago: the token is good, and the node logs in with it', async () => {
  const policy = { certificateValidityDays: 30, recoveryWindowDays: 20, tokenValidityDays: 180 };
  const { world, agent } = await nodeThatGoesOff(12, policy);
  assert.ok((await statusOf(world)).offlineDays >= 60);
  await off(world, 60);
  const { state, nextStep } = await statusOf(world);
  assert.deepEqual([state, nextStep.action], ['CertificateExpired', 'agent-login']);
  const { instance } = agent.held.answer;

  await agent.wake();
  assert.equal(agent.held.answer.instance, instance, 'it goes on with its line');
  assert.equal((await statusOf(world)).state, 'Healthy');
  assert.equal((await typesOf(world)).includes('recovery-used'), false);
});

test('31 sixty days off while only the certificate ended: the key is enough, and the token stays as it is', async () => {
  const { world, agent } = await nodeThatGoesOff(20, {
    certificateValidityDays: 60,
    tokenValidityDays: 365,
  });
  const { token } = agent;
  await off(world, 60);
  const { state, nextStep } = await statusOf(world);
  assert.deepEqual([state, nextStep.action], ['CertificateExpired', 'agent-recover']);
  await agent.wake();
  assert.equal((await statusOf(world)).state, 'Healthy');
  assert.equal(agent.token, token);
});

const POLICIES: readonly (readonly [string, number, Partial<Policy>])[] = [
  ['the defaults', 10, {}],
  ['the defaults, after renewals', 100, {}],
  ['tokens that outlive all', 10, { tokenValidityDays: 300 }],
  ['tokens of a month', 25, { tokenValidityDays: 30 }],
  ['no recovery', 10, { recoveryWindowDays: 0, tokenValidityDays: 60 }],
  ['a recovery budget of nothing', 10, { recoveryBudget: 0, tokenValidityDays: 100 }],
];

for (const [name, day, policy] of POLICIES) {
  test(`31 a node may stay off for as many days as status says, and no longer: ${name}`, async () => {
    for (const isLate of [false, true]) {
      const { world, agent } = await nodeThatGoesOff(day, policy);
      const { offlineDays } = await statusOf(world);
      assert.ok(offlineDays > 0);
      await off(world, offlineDays + (isLate ? 1 : 0));
      if (!isLate) {
        await agent.wake();
        assert.equal((await statusOf(world)).state, 'Healthy');
        continue;
      }
      await assert.rejects(agent.wake(), { code: 'Expired' });
      const { state, nextStep } = await statusOf(world);
      assert.deepEqual([state, nextStep.action], ['BothExpired', 'operator-rotate']);
      await agent.takeLoginFile((await rotate(world, NODE_AGENT)).token.reveal());
      assert.equal((await statusOf(world)).state, 'Healthy');
    }
  });
}
