/** 35 After an update everything of a cluster begins a new life (24 tells of what lies in the vault; here the agents too). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { operationLoginFiles } from '../../shared/use-cases/operation-login-files.ts';
import { identityOf } from '../support/agent.ts';
import { status, statusOf } from '../support/agent-fleet.ts';
import { createdCluster } from '../support/cluster-of-agents.ts';
import { clusterEvents, look, repair } from '../support/clusters.ts';
import { allIdentities, assertWhole } from '../support/inspect-world.ts';
import { startedWorld } from '../support/operator-actions.ts';

test('35 an update gives every certificate and every token of a cluster its whole life again, from today on', async () => {
  const world = await startedWorld();
  const agents = await createdCluster(world, 'alpha', 3);
  await world.tick();
  for (const agent of agents) await agent.wake();
  world.clock.advance(30 * DAY_MS);
  const today = world.clock.now().getTime();
  const { id } = await repair(world, 'update');
  await world.tick();
  for (const { name, token } of await operationLoginFiles(world.deps, world.run, id, async () => true)) {
    await agents.find((agent) => agent.id.name === name)?.takeLoginFile(token.reveal());
  }
  const { state, counts } = await look(world, id);
  assert.deepEqual([state, counts.done], ['succeeded', 14]);

  for (const identity of (await allIdentities(world)).filter(({ cluster }) => cluster === 'alpha')) {
    const { head } = identity.certificate;
    assert.equal(head?.issuedAt.getTime(), today, identity.name);
    assert.equal(head.notAfter.getTime(), today + 90 * DAY_MS - 1000, identity.name);
    assert.equal(identity.token.expiresAt.getTime(), today + 90 * DAY_MS - 1000, identity.name);
    // Renewals begin anew as well: between 40 and 50 percent of the new lives.
    for (const at of [head.renewAfter, identity.token.rotateAfter]) {
      const days = (at.getTime() - today) / DAY_MS;
      assert.ok(days >= 35.9 && days <= 45, `${identity.name}: ${days}`);
    }
  }
  for (const agent of agents) {
    assert.equal(Date.parse(agent.held.answer.notAfter), today + 90 * DAY_MS - 1000);
    assert.equal(agent.tokenEnd.getTime(), today + 90 * DAY_MS - 1000);
  }
  await assertWhole(world);

  // What would have been due without the update is not.
  world.clock.advance(20 * DAY_MS);
  await world.tick();
  for (const agent of agents) assert.equal((await statusOf(world, agent.id)).state, 'Healthy');
  const { certificate } = await identityOf(world, { cluster: 'alpha', name: 'KMS' });
  assert.equal(certificate.head?.issuedAt.getTime(), today);
});

test('35 agents that nobody brings a login file renew when they hear of the update, and their lives begin then', async () => {
  const world = await startedWorld();
  const agents = await createdCluster(world, 'alpha', 2);
  await world.tick();
  for (const agent of agents) await agent.wake();
  world.clock.advance(30 * DAY_MS);
  await repair(world, 'update');
  await world.tick();
  world.clock.advance(DAY_MS);
  for (const agent of agents) {
    await agent.wake();
    await agent.wake();
    const { issuedAt } = (await identityOf(world, agent.id)).certificate.head ?? {};
    assert.deepEqual(issuedAt, world.clock.now());
  }
});

test('35 with an update the days until the next reminder are counted anew', async () => {
  const world = await startedWorld();
  await createdCluster(world, 'alpha', 0);
  const isReported = async () =>
    (await status(world)).reasons.find(({ code }) => code === 'ClustersNotUpdated');
  const reminders = async () =>
    (await clusterEvents(world, 'alpha')).filter((type) => type === 'update-reminder').length;
  world.clock.advance(50 * DAY_MS);
  await world.tick();
  await repair(world, 'update');
  await world.tick();
  world.clock.advance(59 * DAY_MS);
  await world.tick();
  assert.equal(await reminders(), 0);
  world.clock.advance(2 * DAY_MS);
  await world.tick();
  assert.equal(await reminders(), 1);
  assert.ok((await isReported()) !== undefined);
});
