/** What an operator is told of an identity some of whose credentials are revoked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import type { IdentityId } from '../../shared/domain/names.ts';
import { readTrustBundle } from '../../shared/use-cases/authorities.ts';
import { judgeIdentity, readDetails } from '../../shared/use-cases/judge-identity.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { identityOf, logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from '../support/agent.ts';
import { eventsOf } from '../support/events.ts';
import { assertDueRows } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';
import { firstCertificate, holding, renew, show } from '../support/proving-agent.ts';
import { keyPair } from '../unit/pki/support/keys.ts';

const ALL = { instance: null, serialNumber: null };

async function statusOf(world: World, id: IdentityId) {
  const now = world.clock.now();
  const judged = await judgeIdentity(world.deps, await identityOf(world, id), now);
  const details = await readDetails(world.deps, judged, await readTrustBundle(world.deps), now);
  return { ...details, told: `${details.state}: ${details.nextStep.action}` };
}

test('20 an agent whose only certificate is revoked logs in again, and an operator helps when its token is over', async () => {
  const world = await startedWorld();
  const { answer } = await firstCertificate(world);
  await revoke(
    world.deps,
    world.run,
    NODE_AGENT,
    { ...ALL, serialNumber: answer.serialNumber },
    'superseded',
  );
  const { told, certificate, instances } = await statusOf(world, NODE_AGENT);
  assert.deepEqual([told, certificate, instances.live], ['Pending: agent-login', null, 0]);
  world.clock.advance(100 * DAY_MS);
  assert.equal((await statusOf(world, NODE_AGENT)).told, 'TokenExpired: operator-rotate');
});

test('20 an agent whose newest certificate is for a compromised key is told to log in', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  await show(world, await renew(world, first, 'node'));
  await revoke(
    ...([world.deps, world.run, NODE_AGENT] as const),
    { ...ALL, serialNumber: first.answer.serialNumber },
    'keyCompromise',
  );
  const { told, certificate } = await statusOf(world, NODE_AGENT);
  assert.deepEqual([told, certificate], ['Pending: agent-login', null]);
  await assertDueRows(world);
});

test('20 when one replica is revoked the others are reminded as before', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const replica = async (owner: string) =>
    holding(NODE_AGENT, await logIn(world, token, requestOf(NODE_AGENT, owner)), keyPair('P-256', owner));
  const [first, second] = [await replica('first'), await replica('second')];
  await revoke(world.deps, world.run, NODE_AGENT, { ...ALL, instance: second.answer.instance }, 'superseded');
  const { certificate } = await identityOf(world, NODE_AGENT);
  assert.equal(certificate.head?.serialNumber, first.answer.serialNumber);
  assert.notEqual(certificate.dueKey, null);
  assert.equal((await statusOf(world, NODE_AGENT)).told, 'Healthy: none');
  await assertDueRows(world);
  for (let day = 0; day < 46; day++) {
    world.clock.advance(DAY_MS);
    await world.tick();
  }
  const reminders = (await eventsOf(world, NODE_AGENT)).filter(({ type }) => type === 'agent-reminded');
  assert.ok(reminders.some(({ details }) => details['kind'] === 'certificate'));
});

test('20 a locked replica is what an operator is told of, also when a newer one is well', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const answer = await logIn(world, token, requestOf(NODE_AGENT, 'first'));
  const first = holding(NODE_AGENT, answer, keyPair('P-256', 'first'));
  await show(world, await renew(world, first, 'its next key'));
  await assert.rejects(renew(world, first, 'a copy'), { code: 'Locked' });
  world.clock.advance(DAY_MS);
  await logIn(world, token, requestOf(NODE_AGENT, 'second'));
  const { told, nextStep, instances } = await statusOf(world, NODE_AGENT);
  assert.deepEqual([told, instances], ['Locked: operator-unlock', { live: 1, locked: 1 }]);
  assert.ok(nextStep.route?.endsWith(`/instances/${answer.instance}/unlock`));
  world.clock.advance(89 * DAY_MS);
  assert.equal((await statusOf(world, NODE_AGENT)).told, 'TokenExpired: operator-rotate');
});
