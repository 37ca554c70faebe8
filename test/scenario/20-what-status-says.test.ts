/** What an operator is told of an identity some of whose credentials are revoked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import type { IdentityId } from '../../shared/domain/names.ts';
import { judgeIdentity, readDetails } from '../../shared/use-cases/judge-identity.ts';
import { createRevocationRule, deleteRevocationRule } from '../../shared/use-cases/revocation-rules.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import {
  identityOf,
  KMS,
  logIn,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
  tokenFromVault,
} from '../support/agent.ts';
import { eventsOf } from '../support/events.ts';
import { assertDueRows } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { rotate, startedWorld } from '../support/operator-actions.ts';
import { firstCertificate, holding, renew, show } from '../support/proving-agent.ts';
import { keyPair } from '../unit/pki/support/keys.ts';

const ALL = { instance: null, serialNumber: null };

async function statusOf(world: World, id: IdentityId) {
  const now = world.clock.now();
  const rules = await world.deps.revocationRules.all();
  const judged = await judgeIdentity(world.deps, await identityOf(world, id), rules, now);
  const details = await readDetails(
    world.deps,
    judged,
    rules,
    { currentId: '', deliveredTo: () => null },
    now,
  );
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

test('20 what a rule with a moment revokes in the vault is replaced by the next scan, and its clients go on', async () => {
  const world = await startedWorld();
  const before = await identityOf(world, KMS);
  const oldToken = tokenFromVault(world, KMS);
  world.clock.advance(HOUR_MS);
  await world.tick();
  const criteria = { clientType: null, cluster: 'management', dnsName: null };
  const issuedBefore = world.clock.now();
  await createRevocationRule(world.deps, world.run, { ...criteria, issuedBefore }, 'keyCompromise');
  assert.equal((await statusOf(world, KMS)).told, 'Due: wait');
  assert.equal((await statusOf(world, NODE_AGENT)).told, 'TokenExpired: operator-rotate');
  world.clock.advance(15 * MINUTE_MS);
  await world.tick();
  const after = await identityOf(world, KMS);
  assert.deepEqual(
    [after.certificate.generation, after.token.generation],
    [before.certificate.generation + 1, before.token.generation + 1],
  );
  assert.equal((await statusOf(world, KMS)).told, 'Healthy: none');
  await assert.rejects(logIn(world, oldToken, null), { code: 'Revoked' });
  const { serialNumber } = await logIn(world, tokenFromVault(world, KMS), null);
  assert.equal(serialNumber, after.certificate.head?.serialNumber);
  await world.tick();
  const again = await identityOf(world, KMS);
  assert.equal(again.certificate.generation, after.certificate.generation, 'replaced once');
  await assertDueRows(world);
});

test('20 what a rule revokes and would revoke again is shown as revoked, until the rule is taken back', async () => {
  const world = await startedWorld();
  await firstCertificate(world);
  const criteria = { clientType: null, cluster: 'management', dnsName: null, issuedBefore: null };
  const { id } = await createRevocationRule(world.deps, world.run, criteria, 'unspecified');
  const { told, offlineDays } = await statusOf(world, NODE_AGENT);
  assert.deepEqual([told, offlineDays], ['Revoked: none', 0]);
  assert.equal((await statusOf(world, KMS)).told, 'Revoked: none');
  await deleteRevocationRule(world.deps, world.run, id);
  assert.equal((await statusOf(world, NODE_AGENT)).told, 'Healthy: none');
  assert.equal((await statusOf(world, KMS)).told, 'Healthy: none');
});

test('20 an agent whose certificate a rule revokes logs in with the token that an operator made since', async () => {
  const world = await startedWorld();
  await firstCertificate(world);
  world.clock.advance(HOUR_MS);
  const criteria = { clientType: 'Node', cluster: null, dnsName: null } as const;
  const issuedBefore = world.clock.now();
  await createRevocationRule(world.deps, world.run, { ...criteria, issuedBefore }, 'unspecified');
  const { told, nextStep, certificate } = await statusOf(world, NODE_AGENT);
  assert.deepEqual([told, certificate], ['TokenExpired: operator-rotate', null]);
  assert.match(nextStep.text, /^A revocation rule revokes its token/);
  const { token } = await rotate(world, NODE_AGENT);
  assert.equal((await statusOf(world, NODE_AGENT)).told, 'Pending: agent-login');
  await logIn(world, token.reveal(), requestOf(NODE_AGENT, 'another'));
  assert.equal((await statusOf(world, NODE_AGENT)).told, 'Healthy: none');
});
