import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withLock } from '../../shared/domain/instance.ts';
import { statusJson } from '../../shared/http/status-json.ts';
import { readTrustBundle } from '../../shared/use-cases/authorities.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { getPlan } from '../../shared/use-cases/get-plan.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { updateIdentity } from '../../shared/use-cases/update-identity.ts';
import { identityOf, KMS, logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from '../support/agent.ts';
import { change, fleetWithAgent, status, statusOf } from '../support/agent-fleet.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

async function told(world: World): Promise<string> {
  const { state, nextStep } = await statusOf(world);
  return `${state}: ${nextStep.action} ${nextStep.route}`;
}

const ROTATE = '/api/clusters/management/identities/NodeAgent/rotate';
const RENEW = '/api/certificates/renew';

test('25 the certificate expires first: the agent renews, then it recovers, then it logs in, and that helps', async () => {
  const { world, token, goTo } = await fleetWithAgent({ tokenValidityDays: 365 });
  assert.equal(await told(world), 'Healthy: none null');
  goTo(46);
  assert.equal(await told(world), `WaitingForAgent: agent-renew ${RENEW}`);
  assert.ok((await status(world)).reasons.some(({ code, count }) => code === 'AgentsDue' && count === 1));
  goTo(95);
  assert.equal(await told(world), `CertificateExpired: agent-recover ${RENEW}`);
  const { recovery, offlineDays } = await statusOf(world);
  assert.equal(recovery.left, 3);
  assert.equal(offlineDays, 269, 'with its token it can come back until day 365');
  goTo(121);
  assert.equal(await told(world), 'CertificateExpired: agent-login /api/login');
  assert.deepEqual((await statusOf(world)).recovery, { left: 0, until: null });

  await logIn(world, token, requestOf(NODE_AGENT, 'second'));
  assert.equal(await told(world), 'Healthy: none null');
  assert.deepEqual((await statusOf(world)).instances, { live: 1, locked: 0 });
});

test('25 the token expires first: an operator rotates it, while the agent goes on with its certificate', async () => {
  const { world, goTo } = await fleetWithAgent({ tokenValidityDays: 60 }, 20);
  assert.equal(await told(world), 'Healthy: none null');
  goTo(31);
  // Due, and autoRotate is off: a reminder in the plan, while the certificate lets the agent rotate it at any time.
  assert.equal(await told(world), 'Healthy: none null');
  goTo(61);
  assert.equal(await told(world), `TokenExpired: operator-rotate ${ROTATE}`);
  // Its certificate lives until day 110, and thirty more it can be recovered.
  assert.equal((await statusOf(world)).offlineDays, 78);
});

test('25 both expire: the agent recovers while it can, and from then on an operator must help', async () => {
  const { world, token, goTo } = await fleetWithAgent();
  goTo(95);
  assert.equal(await told(world), `BothExpired: agent-recover ${RENEW}`);
  assert.equal((await statusOf(world)).offlineDays, 24);
  goTo(121);
  assert.equal(await told(world), `BothExpired: operator-rotate ${ROTATE}`);
  assert.equal((await statusOf(world)).offlineDays, 0);
  await assert.rejects(logIn(world, token, requestOf(NODE_AGENT, 'late')), { code: 'Expired' });
});

test('25 an agent that never came is told to log in, and logging in helps', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  assert.equal(await told(world), 'Pending: agent-login /api/login');
  await logIn(world, await tokenFromLoginFile(world, NODE_AGENT), requestOf(NODE_AGENT, 'first'));
  assert.equal(await told(world), 'Healthy: none null');
});

test('25 a token that an operator has to hand over is waited for until the agent logs in with it', async () => {
  const { world } = await fleetWithAgent();
  await change(world, (identity) => ({
    ...identity,
    token: { ...identity.token, generation: 1, handoverGeneration: 1 },
  }));
  assert.equal(await told(world), 'WaitingForAdoption: agent-login /api/login');
  await change(world, (identity) => ({ ...identity, token: { ...identity.token, usedGeneration: 1 } }));
  assert.equal(await told(world), 'Healthy: none null');
});

test('25 a locked instance is told of at once, with the route that unlocks it', async () => {
  const { world, token } = await fleetWithAgent();
  await logIn(world, token, requestOf(NODE_AGENT, 'replica'));
  assert.deepEqual((await statusOf(world)).instances, { live: 2, locked: 0 });
  const { head } = (await identityOf(world, NODE_AGENT)).certificate;
  const newest = (await world.deps.identities.instances(NODE_AGENT)).find(
    (line) => line.head.serialNumber === head?.serialNumber,
  );
  assert.ok(newest !== undefined);
  const stored = await world.deps.identities.instance(NODE_AGENT, newest.id);
  assert.ok(stored !== null);
  const value = { ...stored.value, lockedAt: world.clock.now() };
  await updateIdentity(world.deps, NODE_AGENT, (identity) => ({
    identity: withLock(identity, 1),
    changes: [{ op: 'replace', kind: 'instance', value, etag: stored.etag }],
  }));

  const route = `/api/clusters/management/identities/NodeAgent/instances/${newest.id}/unlock`;
  const { state, nextStep, instances } = await statusOf(world);
  assert.deepEqual([state, nextStep.action, nextStep.route], ['Locked', 'operator-unlock', route]);
  assert.deepEqual(instances, { live: 1, locked: 1 });
  const { overall, reasons } = await status(world);
  assert.equal(overall, 'critical');
  assert.ok(reasons.some(({ code, count }) => code === 'InstancesLocked' && count === 1));
});

test('25 the state of a healthy fleet is read from its identities alone, and lines for the page', async () => {
  const { world } = await fleetWithAgent();
  const { deps, calls } = recordCalls(world.deps);
  await getStatus(deps, { cluster: null, state: null, limit: 2, cursor: null });
  assert.equal(calls.filter((call) => call === 'identities.instances').length, 2);
});

test('25 a deleted identity is in no status, no total and no plan', async () => {
  const { world, goTo } = await fleetWithAgent();
  goTo(46);
  const total = (await status(world)).totals.identities;
  await change(world, (identity) => ({ ...identity, deletedAt: world.clock.now() }));
  const after = await status(world);
  assert.equal(after.totals.identities, total - 1);
  assert.equal(
    after.identities.some(({ identity }) => identity.name === NODE_AGENT.name),
    false,
  );
  const { entries } = await getPlan(world.deps, { at: null, cluster: null, limit: 500, offset: 0 });
  assert.equal(
    entries.some(({ target }) => 'name' in target && target.name === NODE_AGENT.name),
    false,
  );
});

test('25 the answer of the status names the bundle, the recovery and what was proven of the certificate', async () => {
  const { world } = await fleetWithAgent();
  const { id } = await readTrustBundle(world.deps);
  await change(world, (identity) => ({ ...identity, acknowledgedBundleId: id }));
  const { identities } = statusJson(await status(world));
  const agent = identities.find(({ name }) => name === NODE_AGENT.name);
  assert.deepEqual(agent?.bundle, { acknowledged: id, delivered: null, current: true });
  assert.deepEqual(agent?.recovery, { left: 3, until: '2027-03-21T07:59:59Z' });
  assert.deepEqual(agent?.instances, { live: 1, locked: 0 });
  assert.equal(agent?.offlineDays, 119);
  assert.equal(agent?.certificate?.provenAt, null);
  const kms = identities.find(({ name }) => name === KMS.name);
  assert.deepEqual(kms?.bundle, { acknowledged: null, delivered: id, current: false });
  assert.deepEqual(kms?.recovery, { left: 0, until: null });
});

test('25 an agent’s identity of a former version, whose certificate stands in its line alone, is judged by that', async () => {
  const { world, goTo } = await fleetWithAgent();
  await change(world, (identity) => ({ ...identity, certificate: { ...identity.certificate, head: null } }));
  assert.equal(await told(world), 'Healthy: none null');
  goTo(46);
  assert.equal(await told(world), `WaitingForAgent: agent-renew ${RENEW}`);
});

test('25 the page after one whose last identity was deleted meanwhile is where it would have been', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const query = { cluster: null, state: null, limit: 3, cursor: null };
  const first = await getStatus(world.deps, query);
  const second = await getStatus(world.deps, { ...query, cursor: first.nextCursor });
  const last = first.identities.at(-1)?.identity;
  assert.ok(last !== undefined);
  await deleteIdentity(world.deps, world.run, last);
  const again = await getStatus(world.deps, { ...query, cursor: first.nextCursor });
  assert.deepEqual(again.identities, second.identities);
  await assert.rejects(getStatus(world.deps, { ...query, cursor: 'management/nobody' }), {
    code: 'InvalidInput',
  });
});
