/** 32 Whatever has ended first, the one step that status names helps, until nothing is left to do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import type { Policy } from '../../shared/domain/policy.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { changeIdentity } from '../../shared/use-cases/manage-identity.ts';
import {
  identityOf,
  KMS,
  logIn,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
  tokenFromVault,
} from '../support/agent.ts';
import { statusOf } from '../support/agent-fleet.ts';
import { HonestAgent } from '../support/honest-agent.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { rotate, startedWorld } from '../support/operator-actions.ts';

/** What agent and operator do when they do what status tells them, and nothing else. */
async function follow(world: World, agent: HonestAgent): Promise<readonly string[]> {
  const told: string[] = [];
  for (let step = 0; step < 5; step++) {
    const { state, nextStep } = await statusOf(world);
    if (nextStep.action === 'none') return told;
    told.push(`${state}: ${nextStep.action}`);
    if (nextStep.action === 'operator-rotate') {
      const { token } = await rotate(world, NODE_AGENT);
      await agent.takeLoginFile(token.reveal());
    } else if (nextStep.action === 'agent-login') await agent.logIn();
    else if (nextStep.route === '/api/token/rotate') await agent.rotateToken();
    else await agent.renew();
  }
  throw new Error(`It never ends: ${told.join(', ')}`);
}

const CASES: readonly {
  readonly title: string;
  readonly policy: Partial<Policy>;
  readonly loginDay?: number;
  readonly day: number;
  readonly steps: readonly string[];
}[] = [
  {
    title: 'the token ended first, and the certificate is good',
    policy: { tokenValidityDays: 60 },
    loginDay: 40,
    day: 70,
    steps: ['TokenExpired: operator-rotate'],
  },
  {
    title: 'the certificate ended first, and can be recovered',
    policy: { tokenValidityDays: 365 },
    day: 95,
    steps: ['CertificateExpired: agent-recover'],
  },
  {
    title: 'the certificate ended first, and can be recovered no more',
    policy: { tokenValidityDays: 365 },
    day: 125,
    steps: ['CertificateExpired: agent-login'],
  },
  {
    title: 'both have ended, and the key is good for a recovery',
    policy: {},
    day: 100,
    steps: ['BothExpired: agent-recover', 'TokenExpired: operator-rotate'],
  },
  {
    title: 'both have ended long ago',
    policy: {},
    day: 200,
    steps: ['BothExpired: operator-rotate'],
  },
];

for (const { title, policy, loginDay = 0, day, steps } of CASES) {
  test(`32 ${title}: an agent is well again by ${steps.join(', then ')}`, async () => {
    const world = memoryWorld(policy);
    await firstStart(world.deps, world.run);
    const agent = new HonestAgent(world, NODE_AGENT, await tokenFromLoginFile(world, NODE_AGENT));
    world.clock.advance(loginDay * DAY_MS);
    await agent.logIn();
    world.clock.advance((day - loginDay) * DAY_MS);
    assert.deepEqual(await follow(world, agent), steps);
    await agent.wake();
    await agent.takeLoginFile(agent.token);
    assert.equal((await statusOf(world)).state, 'Healthy');
    await assertWhole(world);
  });
}

test('32 the token ended first, and the agent has not: it makes itself another with its key, without an operator', async () => {
  const world = memoryWorld({ tokenValidityDays: 60 });
  await firstStart(world.deps, world.run);
  const agent = new HonestAgent(world, NODE_AGENT, await tokenFromLoginFile(world, NODE_AGENT));
  world.clock.advance(40 * DAY_MS);
  await agent.logIn();
  const { token } = agent;
  world.clock.advance(30 * DAY_MS);
  await assert.rejects(logIn(world, token, requestOf(NODE_AGENT, 'any')), { code: 'Expired' });
  await agent.rotateToken();
  assert.notEqual(agent.token, token);
  await agent.takeLoginFile(agent.token);
  assert.equal((await statusOf(world)).state, 'Healthy');
});

test('32 timers that stood still past both ends: the next tick gives clients of the vault all that they need', async () => {
  const world = await startedWorld();
  const held = tokenFromVault(world, KMS);
  world.clock.advance(100 * DAY_MS);
  assert.equal((await statusOf(world, KMS)).state, 'BothExpired');
  await assert.rejects(logIn(world, held, null), { code: 'Expired' });
  await world.tick();
  assert.equal((await statusOf(world, KMS)).state, 'Healthy');
  await logIn(world, tokenFromVault(world, KMS), null);
  await assertWhole(world);
});

test('32 a client of the vault whose token nobody rotates is renewed all the same, and a rotation by hand reaches the vault', async () => {
  const world = await startedWorld();
  await changeIdentity(world.deps, world.run, KMS, { autoRotate: false }, 'any');
  for (let day = 0; day < 100; day += 5) {
    world.clock.advance(5 * DAY_MS);
    await world.tick();
  }
  const { state, nextStep } = await statusOf(world, KMS);
  assert.deepEqual([state, nextStep.action], ['TokenExpired', 'operator-rotate']);
  const { head } = (await identityOf(world, KMS)).certificate;
  assert.ok((head?.notAfter ?? 0) > world.clock.now());
  const { token } = await rotate(world, KMS);
  await world.tick();
  assert.equal(tokenFromVault(world, KMS), token.reveal());
  await logIn(world, token.reveal(), null);
  assert.equal((await statusOf(world, KMS)).state, 'Healthy');
});
