import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instance } from '../../shared/domain/instance.ts';
import { DAY_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import type { Policy } from '../../shared/domain/policy.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { NODE_AGENT } from '../support/agent.ts';
import { eventsOf } from '../support/events.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { firstCertificate, type Held, renew, renewAsMoc, show } from '../support/proving-agent.ts';

async function startedWorld(policy: Partial<Policy> = {}): Promise<World> {
  const world = memoryWorld({ certificateValidityDays: 30, ...policy });
  await firstStart(world.deps, world.run);
  return world;
}

async function lineOf(world: World, held: Held): Promise<Instance> {
  const line = await world.deps.identities.instance(held.id, held.answer.instance);
  assert.ok(line !== null);
  return line.value;
}

const recoveries = async (world: World) =>
  (await eventsOf(world, NODE_AGENT)).filter(({ type }) => type === 'recovery-used').length;

test('18 a node that was off for sixty days comes back with its key, and an alert tells of it', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  world.clock.advance(59 * DAY_MS);
  await assert.rejects(show(world, first), {
    code: 'Expired',
    details: { reason: 'certificate-expired' },
  });
  const second = await renew(world, first, 'node, key 1');
  await show(world, second);
  assert.equal((await lineOf(world, second)).recoveriesUsed, 1);
  const [event] = (await eventsOf(world, NODE_AGENT)).filter(({ type }) => type === 'certificate-renewed');
  assert.deepEqual([event?.details['recovery'], event?.details['renewCount']], [true, 1]);
  assert.equal(await recoveries(world), 1);
  assert.ok(
    world.lines.some((line) => /^warn: An ended certificate of management\/NodeAgent was renewed/.test(line)),
  );
});

test('18 the window closes thirty days after the end, to the second', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  world.clock.advance(60 * DAY_MS - SECOND_MS);
  await renewAsMoc(world, first, 'node, key 1');
  world.clock.advance(SECOND_MS);
  await assert.rejects(renewAsMoc(world, first, 'node, key 2'), {
    code: 'Expired',
    message: /Log in again with the token/,
    details: { reason: 'recovery-window-over' },
  });
});

test('18 three recoveries in a row are all, and a renewal in time fills them up again', async () => {
  const world = await startedWorld();
  let held = await firstCertificate(world);
  const recover = async (key: string) => {
    world.clock.advance(31 * DAY_MS);
    held = await renew(world, held, key);
  };
  await recover('one');
  await recover('two');
  world.clock.advance(15 * DAY_MS);
  held = await renew(world, held, 'in time');
  assert.equal((await lineOf(world, held)).recoveriesUsed, 0);
  for (const key of ['three', 'four', 'five']) await recover(key);
  assert.equal((await lineOf(world, held)).recoveriesUsed, 3);
  await assert.rejects(recover('six'), { code: 'Expired', details: { reason: 'recoveries-spent' } });
  assert.equal(await recoveries(world), 5);
});

test('18 lost answers use up one recovery, however often and with whatever keys the agent asks', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  world.clock.advance(31 * DAY_MS);
  for (const key of ['one', 'two', 'three', 'four', 'five']) {
    world.clock.advance(DAY_MS);
    await renewAsMoc(world, first, key);
  }
  const last = await renewAsMoc(world, first, 'five');
  await show(world, last);
  assert.equal((await lineOf(world, last)).recoveriesUsed, 1);
  assert.equal(await recoveries(world), 1);
});

test('18 a successor that was never used is recovered like a head', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  world.clock.advance(15 * DAY_MS);
  const second = await renew(world, first, 'node, key 1');
  world.clock.advance(31 * DAY_MS);
  const third = await renew(world, second, 'node, key 2');
  assert.equal(third.answer.renewCount, 2);
  assert.equal((await lineOf(world, third)).head.serialNumber, second.answer.serialNumber);
});

test('18 an answer that was lost before the end is still there after it, for no recovery', async () => {
  const world = await startedWorld({ recoveryBudget: 0 });
  const first = await firstCertificate(world);
  world.clock.advance(25 * DAY_MS);
  const second = await renew(world, first, 'node, key 1');
  world.clock.advance(10 * DAY_MS);
  const again = await renew(world, first, 'node, key 1');
  assert.equal(again.answer.certificate, second.answer.certificate);
  await assert.rejects(renew(world, first, 'node, key 2'), {
    code: 'Expired',
    details: { reason: 'recoveries-spent' },
  });
});

test('18 without a window an ended certificate is renewed by nobody', async () => {
  const world = await startedWorld({ recoveryWindowDays: 0 });
  const first = await firstCertificate(world);
  world.clock.advance(30 * DAY_MS - SECOND_MS);
  await renew(world, first, 'node, key 1');
  world.clock.advance(SECOND_MS);
  await assert.rejects(renew(world, first, 'node, key 2'), { code: 'Expired' });
});
