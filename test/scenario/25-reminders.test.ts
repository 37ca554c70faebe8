import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { REMINDERS_PER_SCAN } from '../../shared/domain/reminders.ts';
import { planCredential } from '../../shared/domain/renewal-plan.ts';
import { createIdentity } from '../../shared/use-cases/create-identity.ts';
import { getPlan } from '../../shared/use-cases/get-plan.ts';
import { inPool } from '../../shared/use-cases/pool.ts';
import { reconcile } from '../../shared/use-cases/reconcile.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { readRotationKey } from '../../shared/use-cases/tokens.ts';
import { updateIdentity } from '../../shared/use-cases/update-identity.ts';
import { identityOf, KMS, logIn, NODE_AGENT, requestOf } from '../support/agent.ts';
import { change, fleetWithAgent, reminders, statusOf } from '../support/agent-fleet.ts';
import { dieBefore } from '../support/faults.ts';
import { assertDueRows } from '../support/inspect-world.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld } from '../support/memory-world.ts';
import { startWorld } from '../support/started-world.ts';

test('25 what nobody does is reminded of: in the window, at its close, daily to the end, weekly after it', async () => {
  const { world, goTo } = await fleetWithAgent({ tokenValidityDays: 365 });
  const { head } = (await identityOf(world, NODE_AGENT)).certificate;
  assert.ok(head !== null);
  const { deps, calls } = recordCalls(world.deps);
  for (let day = 36; day <= 120; day += 0.5) {
    goTo(day);
    await renewDue(deps, world.run);
    assert.equal(
      world.queue.takeAll().some(({ identity }) => identity.name === NODE_AGENT.name),
      false,
    );
  }
  assert.equal(
    calls.some((call) => /vault|secrets|signer/i.test(call)),
    false,
    'no vault was asked',
  );
  const events = (await reminders(world)).filter(({ details }) => details['kind'] === 'certificate');
  assert.ok(events.every(({ type, reason }) => type === 'agent-reminded' && reason === 'AgentMustAct'));
  assert.ok(events.every(({ target }) => target.serialNumber === head.serialNumber));
  const days = events.map(({ time }) => (time.getTime() - head.issuedAt.getTime()) / DAY_MS);
  const first = (head.renewAfter.getTime() - head.issuedAt.getTime()) / DAY_MS;
  // A scan ran every half day; one whose moment comes last in the window is reminded of at its close for the first time.
  const found = Math.ceil(first * 2) / 2;
  const daily = Array.from({ length: 45 }, (_, i) => 46 + i);
  assert.deepEqual(days, [...new Set([found, 45]), ...daily, 97, 104, 111, 118]);
  await assertDueRows(world);
});

test('25 an agent that comes back is not reminded any more, and the plan says when it is due next', async () => {
  const { world, token, goTo } = await fleetWithAgent({ tokenValidityDays: 365 });
  goTo(46);
  const at = world.clock.now();
  const planOf = async (moment: Date) =>
    (await getPlan(world.deps, { at: moment, cluster: 'management', limit: 500, offset: 0 })).entries.filter(
      ({ target, kind }) => 'name' in target && target.name === NODE_AGENT.name && kind === 'certificate',
    );
  assert.deepEqual(
    (await planOf(at)).map(({ action, reason }) => `${action} ${reason}`),
    ['request AgentMustAct'],
  );
  await world.tick();
  assert.equal((await reminders(world)).length, 1);
  await logIn(world, token, requestOf(NODE_AGENT, 'first'));
  for (let day = 47; day <= 80; day++) {
    goTo(day);
    await world.tick();
  }
  assert.equal((await reminders(world)).length, 1);
  assert.deepEqual(await planOf(world.clock.now()), []);
  const { dueAt } = planCredential(await identityOf(world, NODE_AGENT), 'certificate', world.clock.now());
  assert.equal((await planOf(dueAt)).length, 1);
});

test('25 with autoRotate off a client’s token is delivered once and then reminded of, and its certificate renewed', async () => {
  const world = memoryWorld();
  await startWorld(world);
  await change(world, (identity) => ({ ...identity, autoRotate: false }), KMS);
  world.clock.advance(46 * DAY_MS);
  for (let tick = 0; tick < 3; tick++) {
    await world.tick();
    world.clock.advance(15 * MINUTE_MS);
  }
  const kms = await identityOf(world, KMS);
  assert.equal(kms.token.generation, 0);
  assert.equal(kms.certificate.generation, 2);
  const events = await reminders(world, KMS.name);
  assert.deepEqual(
    events.map(({ type, reason }) => `${type} ${reason}`),
    ['rotation-reminded AutoRotateOff'],
  );
  const { state, nextStep } = await statusOf(world, KMS);
  assert.deepEqual([state, nextStep.action], ['Due', 'operator-rotate']);
});

test('25 reminders use up nothing of the vaults’ budget, and one scan writes so many and no more', async () => {
  // One key a minute, and 15 minutes between two scans: the renewals alone are more than that.
  const world = memoryWorld({ vaultKeysPerMinute: 1 });
  await startWorld(world);
  const rotationKey = await readRotationKey(world.deps);
  await inPool(
    Array.from({ length: REMINDERS_PER_SCAN }, (_, i) => `n-${i}`),
    (name) =>
      createIdentity(world.deps, world.run, rotationKey, 'many', {
        name,
        clientType: 'Node',
        delivery: 'agent',
        credentials: 'kubelet',
      }),
  );
  world.clock.advance(46 * DAY_MS);
  assert.deepEqual(await renewDue(world.deps, world.run), {
    due: 16,
    queued: 15,
    reminded: REMINDERS_PER_SCAN,
    postponed: 3,
    failed: 0,
  });
  world.clock.advance(15 * MINUTE_MS);
  const next = await renewDue(world.deps, world.run);
  assert.deepEqual([next?.queued, next?.reminded, next?.postponed], [1, 2, 0]);
});

test('25 a scan that dies anywhere reminds of everything, and of nothing twice', async () => {
  for (let n = 1; ; n++) {
    const { world, goTo } = await fleetWithAgent();
    goTo(46);
    const { deps, hitAt } = dieBefore(n, world.deps);
    await renewDue(deps, world.run).catch(() => undefined);
    world.clock.advance(2 * MINUTE_MS);
    await renewDue(world.deps, world.run);
    const kinds = (await reminders(world)).map(({ details }) => details['kind']);
    assert.deepEqual([...kinds].sort(), ['certificate', 'token'], `died before call ${n}`);
    await assertDueRows(world);
    if (hitAt() === null) return;
  }
});

test('25 rows of agents that a former version never wrote are put in by reconcile', async () => {
  const { world, goTo } = await fleetWithAgent();
  const { certificate, token } = await identityOf(world, NODE_AGENT);
  await updateIdentity(world.deps, NODE_AGENT, (identity) => ({
    identity: {
      ...identity,
      certificate: { ...identity.certificate, dueKey: null },
      token: { ...identity.token, dueKey: null },
    },
    changes: [certificate, token].map(({ dueKey }) => ({
      op: 'remove',
      kind: 'due',
      identity: NODE_AGENT,
      key: dueKey ?? '',
    })),
  }));
  assert.deepEqual((await reconcile(world.deps, world.run))?.found, { 'due-row-missing': 2 });
  const mended = await identityOf(world, NODE_AGENT);
  assert.deepEqual([mended.certificate.dueKey, mended.token.dueKey], [certificate.dueKey, token.dueKey]);
  // What was reminded of is not late, however far away the next reminder is.
  for (const day of [46, 60, 100]) {
    goTo(day);
    await world.tick();
    assert.deepEqual((await reconcile(world.deps, world.run))?.found, {}, `day ${day}`);
  }
});
