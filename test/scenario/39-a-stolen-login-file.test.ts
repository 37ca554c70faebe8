/** 39 A login file is stolen. What the operator sees, what the operator does, and who is in and who is out afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventType } from '../../shared/domain/audit.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { getEvents } from '../../shared/use-cases/get-events.ts';
import { changeIdentity } from '../../shared/use-cases/manage-identity.ts';
import { revokeInstance } from '../../shared/use-cases/revoke.ts';
import { NODE_AGENT, tokenFromLoginFile } from '../support/agent.ts';
import { statusOf } from '../support/agent-fleet.ts';
import { HonestAgent } from '../support/honest-agent.ts';
import { assertWhole } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { rotate, startedWorld } from '../support/operator-actions.ts';

const OWNER_AT = '192.0.2.10';
const THIEF_AT = '203.0.113.66';

/** An agent that calls from there. */
function agentAt(world: World, source: string, token: string): HonestAgent {
  const run = { ...world.run, actor: { kind: 'anonymous', id: null, source } } as const;
  return new HonestAgent({ ...world, run }, NODE_AGENT, token);
}

/** What an operator reads in the audit log. */
async function eventsOf(world: World, type: EventType) {
  const query = { chain: 'management', type, from: null, before: null, limit: 100, cursor: null };
  return (await getEvents(world.deps, query)).items.filter(({ target }) => target.name === NODE_AGENT.name);
}

/** The owner has lived with its login file for some days; the thief has read it, and logs in. */
async function theft(): Promise<{ world: World; owner: HonestAgent; thief: HonestAgent }> {
  const world = await startedWorld();
  const owner = agentAt(world, OWNER_AT, await tokenFromLoginFile(world, NODE_AGENT));
  await owner.wake();
  world.clock.advance(5 * DAY_MS);
  await owner.wake();
  const thief = agentAt(world, THIEF_AT, owner.token);
  await thief.wake();
  return { world, owner, thief };
}

async function assertOut(thief: HonestAgent): Promise<void> {
  await assert.rejects(thief.logIn(), ({ code }) => code === 'Expired' || code === 'Revoked');
  await assert.rejects(thief.checkIn(), { code: 'Revoked' });
  await assert.rejects(thief.rotateToken(), { code: 'Revoked' });
  await assert.rejects(thief.renew(), { code: 'Revoked' });
  // With another key, as an agent does whose line is revoked.
  await assert.rejects(thief.renewOrLogIn(), { code: 'Expired' });
}

async function assertIn(world: World, owner: HonestAgent): Promise<void> {
  await owner.checkIn();
  await owner.renew();
  await owner.takeLoginFile(owner.token);
  const { state, instances } = await statusOf(world);
  assert.deepEqual([state, instances], ['Healthy', { live: 1, locked: 0 }]);
  await assertWhole(world);
}

test('39 the operator sees a second line from another place, cuts the token over and revokes that line', async () => {
  const { world, owner, thief } = await theft();

  // What there is to see: two lines where there should be one, and where each of them began.
  assert.deepEqual((await statusOf(world)).instances, { live: 2, locked: 0 });
  const begun = (await eventsOf(world, 'login')).filter(({ details }) => details['newInstance'] === true);
  assert.deepEqual(
    begun.map(({ actor }) => actor.source),
    [OWNER_AT, THIEF_AT],
  );
  const stranger = String(begun[1]?.details['instance']);
  assert.equal(stranger, thief.held.answer.instance);
  assert.ok((await world.deps.identities.instances(NODE_AGENT)).some(({ id }) => id === stranger));

  // What there is to do: no more logins with what was stolen, then no more use of what was got by it.
  const { token } = await rotate(world, NODE_AGENT, true);
  await revokeInstance(world.deps, world.run, NODE_AGENT, stranger, 'keyCompromise');

  await assertOut(thief);
  await owner.checkIn();
  await assert.rejects(owner.takeLoginFile(owner.token), { code: 'Expired' });
  await owner.takeLoginFile(token.reveal());
  await assertIn(world, owner);
  assert.equal((await eventsOf(world, 'token-cut-over')).length, 1);
  const [revoked] = await eventsOf(world, 'instance-revoked');
  assert.equal(revoked?.details['instance'], stranger);
  const refused = (await eventsOf(world, 'login-denied')).filter(({ actor }) => actor.source === THIEF_AT);
  assert.ok(refused.length > 0);
});

test('39 a thief who has rotated the token and used the new one has shut the owner’s out, and is put out all the same', async () => {
  const { world, owner, thief } = await theft();
  await thief.rotateToken();
  await thief.takeLoginFile(thief.token);
  await assert.rejects(owner.takeLoginFile(owner.token), { code: 'Expired' });
  // The owner's key does not depend on it.
  await owner.checkIn();

  const { token } = await rotate(world, NODE_AGENT, true);
  await revokeInstance(world.deps, world.run, NODE_AGENT, thief.held.answer.instance, 'keyCompromise');
  await assertOut(thief);
  await owner.takeLoginFile(token.reveal());
  await assertIn(world, owner);
});

test('39 revoked before the cut-over, the thief comes back with another key: the cut-over comes first', async () => {
  const { world, owner, thief } = await theft();
  await revokeInstance(world.deps, world.run, NODE_AGENT, thief.held.answer.instance, 'keyCompromise');
  await thief.renewOrLogIn();
  assert.deepEqual((await statusOf(world)).instances, { live: 2, locked: 0 });

  const { token } = await rotate(world, NODE_AGENT, true);
  const own = owner.held.answer.instance;
  for (const { id, revokedAt } of await world.deps.identities.instances(NODE_AGENT)) {
    if (id === own || revokedAt !== null) continue;
    await revokeInstance(world.deps, world.run, NODE_AGENT, id, 'keyCompromise');
  }
  await assertOut(thief);
  await owner.takeLoginFile(token.reveal());
  await assertIn(world, owner);
});

test('39 with a token for one login the owner who comes second is refused, which is how the theft is found', async () => {
  const world = await startedWorld();
  await changeIdentity(world.deps, world.run, NODE_AGENT, { tokenMaxUses: 1 }, 'any');
  const stolen = (await rotate(world, NODE_AGENT, true)).token.reveal();
  const thief = agentAt(world, THIEF_AT, stolen);
  await thief.wake();
  const owner = agentAt(world, OWNER_AT, stolen);
  await assert.rejects(owner.wake(), { code: 'Expired', details: { reason: 'token-used-up' } });
  const [denied] = await eventsOf(world, 'login-denied');
  assert.deepEqual([denied?.reason, denied?.actor.source], ['token-used-up', OWNER_AT]);

  const { token } = await rotate(world, NODE_AGENT, true);
  await revokeInstance(world.deps, world.run, NODE_AGENT, thief.held.answer.instance, 'keyCompromise');
  await assertOut(thief);
  await owner.takeLoginFile(token.reveal());
  assert.deepEqual((await statusOf(world)).instances, { live: 1, locked: 0 });
});
