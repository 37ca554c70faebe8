/** 33 An operator repairs one cluster with force, while the scan, the workers and the agents renew by themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { advanceOperation } from '../../shared/use-cases/advance-operation.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { operationLoginFiles } from '../../shared/use-cases/operation-login-files.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { createdCluster, generationsOf } from '../support/cluster-of-agents.ts';
import { look, repair } from '../support/clusters.ts';
import type { HonestAgent } from '../support/honest-agent.ts';
import { allIdentities, assertWhole } from '../support/inspect-world.ts';
import { interleave } from '../support/interleaving.ts';
import { startedWorld } from '../support/operator-actions.ts';

for (const seed of [1, 2, 3]) {
  test(`33 a repair with force renews each credential of its cluster, whoever else is at it, order ${seed}`, async () => {
    const world = await startedWorld();
    const agents = await createdCluster(world, 'alpha', 4);
    const neighbours = await createdCluster(world, 'beta', 2);
    await world.tick();
    for (const agent of [...agents, ...neighbours]) await agent.wake();

    // In the middle of the window the scan has found some of the certificates, and some of the agents are at it as well.
    world.clock.advance(40.5 * DAY_MS);
    await renewDue(world.deps, world.run);
    const messages = world.queue.takeAll();
    const before = await generationsOf(world, 'alpha');
    const requestedAt = world.clock.now();
    const { id } = await repair(world, 'renew', { force: true });
    const beta = await generationsOf(world, 'beta');
    const wakes = (agent: HonestAgent) => async (deps: typeof world.deps) => {
      agent.connect(deps);
      await agent.wake();
    };
    const results = await interleave<unknown>(world.deps, seed, [
      (deps) => advanceOperation(deps, world.run, id),
      (deps) => renewDue(deps, world.run),
      ...messages.map((message) => (deps: typeof world.deps) => doWork(deps, world.run, message)),
      ...agents.map(wakes),
    ]);
    for (const agent of agents) agent.connect(world.deps);
    for (const result of results) assert.equal(result.status, 'fulfilled', JSON.stringify(result));
    await world.tick();

    // Nobody had to repair the neighbours: the scan renewed what was due of theirs, once.
    for (const [name, [certificate, token]] of Object.entries(await generationsOf(world, 'beta'))) {
      const [wasCertificate = 0, wasToken = 0] = beta[name] ?? [];
      assert.ok((certificate ?? 0) - wasCertificate <= 1 && (token ?? 0) - wasToken <= 1, name);
    }

    // The agents hear of it when they come by within a day, and are given the tokens by an operator.
    assert.equal((await look(world, id)).state, 'partial');
    world.clock.advance(1.5 * DAY_MS);
    for (const agent of agents) await agent.wake();
    for (const agent of agents) await agent.wake();
    for (const { name, token } of await operationLoginFiles(world.deps, world.run, id, async () => true)) {
      await agents.find((agent) => agent.id.name === name)?.takeLoginFile(token.reveal());
    }
    const operation = await look(world, id);
    assert.equal(operation.state, 'succeeded', JSON.stringify(operation.counts));

    const afterwards = await generationsOf(world, 'alpha');
    for (const identity of (await allIdentities(world)).filter(({ cluster }) => cluster === 'alpha')) {
      const { name, certificate, token } = identity;
      assert.ok((certificate.head?.issuedAt ?? 0) >= requestedAt, `${name} has the certificate of before`);
      assert.ok(token.issuedAt >= requestedAt, `${name} has the token of before`);
      if (identity.delivery === 'agent') continue;
      const [wasCertificate = 0, wasToken = 0] = before[name] ?? [];
      const [isCertificate = 0, isToken = 0] = afterwards[name] ?? [];
      assert.deepEqual([isCertificate - wasCertificate, isToken - wasToken], [1, 1], `${name} once`);
    }
    for (const agent of agents)
      assert.ok(Date.parse(agent.held.answer.notAfter) > requestedAt.getTime() + 89 * DAY_MS);
    await assertWhole(world);
  });
}

test('33 an agent learns with its next word to the server that an operator asks for a renewal', async () => {
  const world = await startedWorld();
  const [agent] = await createdCluster(world, 'alpha', 1);
  assert.ok(agent !== undefined);
  await agent.wake();
  const { serialNumber } = agent.held.answer;
  world.clock.advance(2 * DAY_MS);
  await agent.wake();
  assert.equal(agent.held.answer.serialNumber, serialNumber, 'nobody asks for anything');

  const { id } = await repair(world, 'renew', { force: true, credentials: ['kubelet'] });
  await world.tick();
  world.clock.advance(2 * DAY_MS);
  await agent.wake();
  await agent.wake();
  assert.notEqual(agent.held.answer.serialNumber, serialNumber);
  assert.ok(
    Date.parse(agent.held.answer.renewAfter) > world.clock.now().getTime() + 35 * DAY_MS,
    'and once only',
  );
  assert.equal((await look(world, id)).counts.done, 1);
});
