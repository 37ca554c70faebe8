import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { identityText, vaultCertificateName } from '../../shared/domain/names.ts';
import type { Policy } from '../../shared/domain/policy.ts';
import { advanceOperation } from '../../shared/use-cases/advance-operation.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { operationLoginFiles } from '../../shared/use-cases/operation-login-files.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { planRepairOf, type RepairRequest, startRepair } from '../../shared/use-cases/start-operation.ts';
import { updateIdentity } from '../../shared/use-cases/update-identity.ts';
import { identityOf, logIn, requestOf } from '../support/agent.ts';
import { clusterEvents, create, keyed, look, repair } from '../support/clusters.ts';
import { refuseCalls } from '../support/faults.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

const KMS = { cluster: 'alpha', name: 'KMS' };
const NODE = { cluster: 'alpha', name: 'kubelet-n1' };
const everybody = async () => true;

/** A cluster of four vault clients and two nodes, of which the first has logged in. */
async function clusterWorld(policy: Partial<Policy> = {}): Promise<World> {
  const world = memoryWorld(policy);
  await firstStart(world.deps, world.run);
  const { loginFiles } = await create(world);
  await world.tick();
  await world.tick();
  await logIn(world, loginFiles[0]?.token.reveal() ?? '', requestOf(NODE, 'n1'));
  return world;
}

/** As if its messages were lost: it is to be sent again. */
async function notQueued(world: World, name: string): Promise<void> {
  await updateIdentity(world.deps, { cluster: 'alpha', name }, (current) => {
    const certificate = { ...current.certificate, queuedAt: null, forcedAt: null };
    const token = { ...current.token, queuedAt: null, forcedAt: null };
    return { identity: { ...current, certificate, token }, changes: [] };
  });
}

async function generations(world: World): Promise<Readonly<Record<string, string>>> {
  const { items } = await world.deps.identities.identities({ cluster: 'alpha', limit: 100 });
  return Object.fromEntries(
    items.map((identity) => [
      identity.name,
      `${identity.certificate.generation} ${identity.token.generation}`,
    ]),
  );
}

test('23 a repair with force renews everything now, gives nodes new tokens and asks them for the rest', async () => {
  const world = await clusterWorld();
  const { id } = await repair(world, 'renew', { force: true });
  assert.equal((await look(world, id)).state, 'queued');
  await world.tick();
  const operation = await look(world, id);
  assert.equal(operation.state, 'partial');
  assert.deepEqual(operation.counts, { total: 12, done: 8, waiting: 4, failed: 0, skipped: 0 });
  assert.ok(operation.operation.finishedAt !== null);
  assert.deepEqual(await generations(world), {
    KMS: '2 1',
    CSI: '2 1',
    CertManager: '2 1',
    CloudProvider: '2 1',
    'kubelet-n1': '1 1',
    'kubelet-n2': '0 1',
  });
  await assertWhole(world);
});

test('23 what waited for its agent is done when the agent has acted, and the operation has succeeded then', async () => {
  const world = await clusterWorld();
  const { id } = await repair(world, 'renew', { force: true, credentials: ['kubelet'] });
  await world.tick();
  assert.equal((await look(world, id)).hasLoginFiles, true);
  const files = await operationLoginFiles(world.deps, world.run, id, everybody);
  const again = await operationLoginFiles(world.deps, world.run, id, everybody);
  assert.deepEqual(
    again.map(({ token }) => token.reveal()),
    files.map(({ token }) => token.reveal()),
  );
  for (const { name, token } of files) {
    await logIn(world, token.reveal(), requestOf({ cluster: 'alpha', name }, name));
  }
  const operation = await look(world, id);
  assert.equal(operation.state, 'succeeded');
  assert.equal(operation.hasLoginFiles, false);
  assert.deepEqual(await operationLoginFiles(world.deps, world.run, id, everybody), []);
  const issued = (await clusterEvents(world, 'alpha')).filter((type) => type === 'login-files-issued');
  assert.equal(issued.length, 3);
});

test('23 login files are for those alone who may hold the credentials', async () => {
  const world = await clusterWorld();
  const { id } = await repair(world, 'renew', { force: true, cluster: 'management' });
  await world.tick();
  const files = await operationLoginFiles(
    world.deps,
    world.run,
    id,
    async ({ clientType }) => clientType !== 'Admin',
  );
  assert.deepEqual(
    files.map(({ name }) => name),
    ['NodeAgent'],
  );
});

test('23 a repair without force does only what is in its window or late', async () => {
  const world = await clusterWorld();
  const early = await repair(world, 'renew');
  await world.tick();
  const nothing = await look(world, early.id);
  assert.equal(nothing.state, 'partial', 'the second node has never logged in');
  assert.equal(nothing.counts.skipped, 11);
  world.clock.advance(36 * DAY_MS + HOUR_MS);
  const { id } = await repair(world, 'renew', { credentials: ['cloud'] });
  await world.tick();
  const operation = await look(world, id);
  assert.equal(operation.state, 'succeeded');
  assert.equal(operation.counts.done, 8);
});

test('23 the dry run is what is done', async () => {
  for (const days of [1, 37, 50, 100]) {
    for (const force of [false, true]) {
      const world = await clusterWorld();
      world.clock.advance(days * DAY_MS);
      const request: RepairRequest = {
        cluster: 'alpha',
        kind: 'renew',
        credentials: ['cloud', 'kubelet'],
        force,
      };
      const before = await generations(world);
      const plan = await planRepairOf(world.deps, request, { limit: 500, offset: 0 });
      assert.deepEqual(await generations(world), before, 'a dry run changes nothing');
      const { id } = await startRepair(world.deps, world.run, request, null);
      const items = (await look(world, id)).items;
      const asPlanned = plan.entries.map(({ target, kind, action, generation }) => ({
        name: 'name' in target ? target.name : '',
        kind,
        generation,
        isWork: ['renew', 'rotate', 'request', 'remind'].includes(action),
      }));
      const asBegun = items.map(({ item }) => ({
        name: item.name,
        kind: item.credential,
        generation: item.generation,
        isWork: item.task !== 'none',
      }));
      assert.deepEqual(asBegun, asPlanned, `${days} days, force ${force}`);
      // The workers of this operation alone: the scan would do its own work as well.
      for (const operation of world.queue.takeOperations())
        await advanceOperation(world.deps, world.run, operation);
      for (const message of world.queue.takeAll()) await doWork(world.deps, world.run, message);
      const after = await generations(world);
      for (const { target, kind, action } of plan.entries) {
        const name = 'name' in target ? target.name : '';
        const at = kind === 'certificate' ? 0 : 1;
        const [was, is] = [before, after].map((of) => Number(of[name]?.split(' ')[at]));
        const isMade = action === 'renew' || action === 'rotate';
        assert.equal((is ?? 0) - (was ?? 0), isMade ? 1 : 0, `${name} ${kind}: ${action}`);
      }
    }
  }
});

test('23 force while renewals run: everything is renewed once, and the operation sees it', async () => {
  const world = await clusterWorld();
  world.clock.advance(46 * DAY_MS);
  await renewDue(world.deps, world.run);
  const messages = world.queue.takeAll().filter(({ identity }) => identity.cluster === 'alpha');
  assert.equal(messages.length, 8);
  for (const message of messages.slice(0, 3)) await doWork(world.deps, world.run, message);
  const { id } = await repair(world, 'renew', { force: true, credentials: ['cloud'] });
  for (const message of messages) await doWork(world.deps, world.run, message);
  await world.tick();
  for (const message of messages) await doWork(world.deps, world.run, message);
  const operation = await look(world, id);
  assert.equal(operation.state, 'succeeded');
  const repeated = await generations(world);
  // Those that were renewed before the operator asked were renewed once more, the others once in all.
  const total = Object.values(repeated)
    .flatMap((text) => text.split(' ').map(Number))
    .reduce((sum, count) => sum + count, 0);
  assert.equal(total, 4 + 8 + 3 + 1, 'four first certificates, eight renewals, three more, and one login');
  await assertWhole(world);
});

test('23 two workers at once, and one that comes late, do the work once', async () => {
  const world = await clusterWorld();
  const { id } = await repair(world, 'update');
  await Promise.all([1, 2, 3].map(() => advanceOperation(world.deps, world.run, id)));
  await world.tick();
  await world.tick();
  const once = await generations(world);
  assert.equal(once['kubelet-n1'], '1 1');
  await advanceOperation(world.deps, world.run, id);
  await world.tick();
  assert.deepEqual(await generations(world), once);
  const events = await clusterEvents(world, 'alpha');
  assert.equal(
    events.filter((type) => type === 'operation-finished').length,
    2,
    'one of create, one of update',
  );
});

test('23 an operation sends what the vault takes in a minute; the scans send the rest within their budget', async () => {
  const world = await clusterWorld({ vaultKeysPerMinute: 1 });
  const { id } = await repair(world, 'update');
  for (const operation of world.queue.takeOperations())
    await advanceOperation(world.deps, world.run, operation);
  assert.equal(world.queue.takeAll().length, 1);
  const { counts, state } = await look(world, id);
  assert.equal(state, 'running');
  assert.equal(counts.done + counts.failed, 0);
  world.clock.advance(2 * HOUR_MS);
  await world.tick();
  assert.equal((await look(world, id)).counts.done, 8);
});

test('23 operations that begin together share one budget until the next scan', async () => {
  const world = await clusterWorld({ vaultKeysPerMinute: 1 });
  const begin = async () => {
    await repair(world, 'update');
    for (const operation of world.queue.takeOperations())
      await advanceOperation(world.deps, world.run, operation);
    return world.queue.takeAll().length;
  };
  let sent = 0;
  for (let i = 0; i < 20; i++) {
    // What is on the queue is not sent again, so each of them finds others to send.
    sent += await begin();
    for (const { name } of (await world.deps.identities.identities({ cluster: 'alpha', limit: 10 })).items) {
      await notQueued(world, name);
    }
  }
  assert.ok(sent <= 15, `${sent} were sent, and the vault takes 15 until the next scan`);
  world.clock.advance(15 * MINUTE_MS);
  assert.equal(await begin(), 1);
});

test('23 what fails is shown with its code, tried again, and done in the end', async () => {
  const world = await clusterWorld();
  const name = vaultCertificateName(KMS);
  const broken = refuseCalls(world.deps, ({ port, args }) => port === 'clientVault' && args[0] === name);
  const { id } = await repair(world, 'renew', { force: true, credentials: ['cloud'] });
  await world.tick(broken);
  const failed = await look(world, id);
  assert.equal(failed.state, 'partial');
  const item = failed.items.find(({ progress }) => progress.state === 'failed');
  assert.equal(`${item?.item.name} ${item?.progress.code}`, 'KMS VaultUnavailable');
  assert.equal(item?.progress.nextStep?.action, 'wait');
  for (let hour = 0; hour < 8; hour++) {
    world.clock.advance(HOUR_MS);
    await world.tick();
  }
  assert.equal((await look(world, id)).state, 'succeeded');
});

test('23 an identity that fails to be marked does not stop the others, and the timer goes on with it', async () => {
  const world = await clusterWorld();
  const broken = refuseCalls(
    world.deps,
    ({ port, method, args }) =>
      port === 'identities' && method === 'identity' && identityText(args[0] as typeof KMS) === 'alpha/KMS',
  );
  const { id } = await repair(world, 'renew', { force: true, credentials: ['cloud'] });
  await assert.rejects(world.tick(broken), { code: 'StorageUnavailable' });
  for (const message of world.queue.takeAll()) await doWork(world.deps, world.run, message);
  const { counts, operation } = await look(world, id);
  assert.deepEqual([counts.done, operation.finishedAt], [6, null]);
  world.clock.advance(HOUR_MS);
  await world.tick();
  assert.equal((await look(world, id)).state, 'succeeded');
});

test('23 a lost message costs nothing: the timer goes on with what is open', async () => {
  const world = await clusterWorld();
  const { id } = await repair(world, 'update');
  world.queue.takeOperations();
  await world.tick();
  assert.equal((await look(world, id)).counts.done, 8);
});

test('23 an operator’s force makes a failed renewal be tried at once', async () => {
  const world = await clusterWorld();
  world.clock.advance(46 * DAY_MS);
  const broken = refuseCalls(world.deps, ({ port }) => port === 'clientVault');
  for (let i = 0; i < 8; i++) {
    await world.tick(broken);
    world.clock.advance(6 * HOUR_MS);
  }
  await world.tick(broken);
  const { failure } = (await identityOf(world, KMS)).certificate;
  assert.ok(failure !== null);
  const { id } = await repair(world, 'renew', { force: true, credentials: ['cloud'] });
  await world.tick();
  assert.equal((await look(world, id)).state, 'succeeded');
});

test('23 the same key answers the same operation; another request with it is refused', async () => {
  const world = await clusterWorld();
  const request: RepairRequest = {
    cluster: 'alpha',
    kind: 'update',
    credentials: ['cloud', 'kubelet'],
    force: true,
  };
  const first = await startRepair(world.deps, world.run, request, keyed('a-key-of-8'));
  await world.tick();
  const again = await startRepair(world.deps, world.run, request, keyed('a-key-of-8'));
  assert.equal(again.id, first.id);
  await world.tick();
  assert.equal((await generations(world))['KMS'], '2 1');
  await assert.rejects(startRepair(world.deps, world.run, request, keyed('a-key-of-8', 'other')), {
    code: 'IdempotencyMismatch',
  });
  const somebodyElse = { ...world.run, actor: { kind: 'operator', id: 'other', source: null } as const };
  const other = await startRepair(world.deps, somebodyElse, request, keyed('a-key-of-8'));
  assert.notEqual(other.id, first.id);
});

test('23 what does not exist cannot be repaired or looked at', async () => {
  const world = await clusterWorld();
  await assert.rejects(repair(world, 'renew', { cluster: 'beta' }), { code: 'NotFound' });
  await assert.rejects(look(world, 'nothing'), { code: 'NotFound' });
});
