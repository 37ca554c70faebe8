import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import type { WorkItem } from '../../shared/ports/work-queue.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { identityOf } from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { allIdentities, assertWhole, takeInventory } from '../support/inspect-world.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

/** Eight vault-delivered clients, each with a certificate and a token. */
const KEYS = 16;
/** Two agents keep their own: nobody but they or an operator makes the next one. */
const AGENT_TOKENS = 2;

async function dueWorld(days = 46, vaultKeysPerMinute = 60): Promise<World> {
  const world = memoryWorld({ vaultKeysPerMinute });
  await firstStart(world.deps, world.run);
  world.clock.advance(days * DAY_MS);
  return world;
}

const textOf = ({ identity, kind }: WorkItem) => `${identity.name} ${kind}`;

test('04 the scan decides and enqueues; it asks nothing of the vaults and renews nothing', async () => {
  const world = await dueWorld();
  const before = await takeInventory(world);
  const { deps, calls } = recordCalls(world.deps);
  const outcome = await renewDue(deps, world.run);
  assert.deepEqual(outcome, { due: KEYS, queued: KEYS, reminded: AGENT_TOKENS, postponed: 0, failed: 0 });
  assert.deepEqual([...new Set(calls)].sort(), [
    'counters.add',
    'identities.commit',
    'identities.due',
    'identities.identity',
    'lease.release',
    'leases.acquire',
    'queue.send',
  ]);
  assert.deepEqual(await takeInventory(world), before);
  const messages = world.queue.takeAll();
  assert.equal(new Set(messages.map(textOf)).size, KEYS);
  for (const { identity, kind, generation } of messages) {
    assert.equal((await identityOf(world, identity))[kind].generation, generation);
  }
});

test('04 the scan enqueues no more than the vault bears until the next one, and first what ends first', async () => {
  // One key a minute, and 15 minutes between two scans.
  const world = await dueWorld(46, 1);
  const lives = new Map<string, number>();
  for (const identity of await allIdentities(world)) {
    lives.set(`${identity.name} token`, identity.token.expiresAt.getTime());
    lives.set(`${identity.name} certificate`, identity.certificate.head?.notAfter.getTime() ?? 0);
  }
  assert.deepEqual(await renewDue(world.deps, world.run), {
    due: KEYS,
    queued: 15,
    reminded: AGENT_TOKENS,
    postponed: 1,
    failed: 0,
  });
  const queued = new Set(world.queue.takeAll().map(textOf));
  const left = (await world.deps.identities.due(world.clock.now(), KEYS)).map(
    ({ identity, kind }) => `${identity.name} ${kind}`,
  );
  assert.equal(left.length, 1);
  const latestQueued = Math.max(...[...queued].map((text) => lives.get(text) ?? 0));
  assert.ok(latestQueued <= (lives.get(left[0] ?? '') ?? 0));

  world.clock.advance(15 * MINUTE_MS);
  assert.deepEqual(await renewDue(world.deps, world.run), {
    due: 1,
    queued: 1,
    reminded: 0,
    postponed: 0,
    failed: 0,
  });
  assert.deepEqual(world.queue.takeAll().map(textOf), left);
});

test('04 a credential that ends soon goes before one that is due for longer', async () => {
  const world = await dueWorld(46, 1);
  // Somebody shortened the life of one token: it became due last and ends first.
  const stored = await world.deps.identities.identity({ cluster: 'management', name: 'CSI' });
  assert.ok(stored !== null);
  const [row] = (await world.deps.identities.due(world.clock.now(), KEYS + AGENT_TOKENS)).filter(
    ({ identity, kind }) => identity.name === 'CSI' && kind === 'token',
  );
  assert.ok(row !== undefined);
  const soon = new Date(world.clock.now().getTime() + HOUR_MS);
  await world.deps.identities.commit('management', [
    { op: 'put', kind: 'due', value: { ...row, dueAt: world.clock.now(), expiresAt: soon } },
  ]);
  await renewDue(world.deps, world.run);
  const sent = world.queue.takeAll().map(textOf);
  assert.equal(sent.length, 15);
  assert.ok(sent.includes('CSI token'));
});

test('04 while a message is under way the next scans find nothing to do', async () => {
  const world = await dueWorld();
  await renewDue(world.deps, world.run);
  for (const minutes of [0, 15, 15, 15]) {
    world.clock.advance(minutes * MINUTE_MS);
    assert.equal((await renewDue(world.deps, world.run))?.due, 0);
  }
});

test('04 a lost message comes up again an hour later', async () => {
  const world = await dueWorld();
  await renewDue(world.deps, world.run);
  const lost = world.queue.takeAll();
  world.clock.advance(HOUR_MS + MINUTE_MS);
  await renewDue(world.deps, world.run);
  assert.deepEqual(world.queue.takeAll().map(textOf).sort(), lost.map(textOf).sort());
});

test('04 a message that is delivered twice, late or long afterwards does its work once', async () => {
  const world = await dueWorld();
  await renewDue(world.deps, world.run);
  const messages = world.queue.takeAll();
  for (const item of [...messages, ...messages]) await doWork(world.deps, world.run, item);
  await assertWhole(world);
  const once = await takeInventory(world);

  world.clock.advance(46 * DAY_MS);
  for (const item of messages) await doWork(world.deps, world.run, item);
  assert.deepEqual(await takeInventory(world), once);
  assert.equal(world.queue.takeAll().length, 0);
});

test('04 work for an identity that is gone is dropped', async () => {
  const world = await dueWorld();
  const item: WorkItem = {
    v: 1,
    identity: { cluster: 'gone', name: 'KMS' },
    kind: 'certificate',
    generation: 0,
  };
  await doWork(world.deps, world.run, item);
  await doWork(world.deps, world.run, { ...item, kind: 'token' });
  assert.ok(world.lines.some((line) => line.includes('Dropped work for gone/KMS')));
});

test('04 one row that cannot be enqueued fails the scan at its end, after all others had their turn', async () => {
  const world = await dueWorld();
  const broken = refuseCalls(
    world.deps,
    ({ method, args }) => method === 'identity' && (args[0] as { name: string }).name === 'KVA',
  );
  await assert.rejects(renewDue(broken, world.run), { code: 'StorageUnavailable', retryable: true });
  assert.equal(world.queue.takeAll().length, KEYS - 2);
  // The lease was given back, so the next scan takes up what is left.
  await renewDue(world.deps, world.run);
  assert.deepEqual(world.queue.takeAll().map(textOf).sort(), ['KVA certificate', 'KVA token']);
});

test('04 a revoked identity is not renewed, not even where an attempt was left half done', async () => {
  const world = await dueWorld();
  const { deps } = world;
  await renewDue(deps, world.run);
  const item = world.queue.takeAll().find((one) => textOf(one) === 'KMS certificate');
  assert.ok(item !== undefined);
  await doWork({ ...deps, signer: { sign: () => Promise.reject(new Error('gone')) } }, world.run, item);
  const stored = await deps.identities.identity(item.identity);
  assert.ok(stored?.value.certificate.attempt != null);
  const value = { ...stored.value, revokedAt: world.clock.now() };
  await deps.identities.commit('management', [{ op: 'replace', kind: 'identity', value, etag: stored.etag }]);

  await doWork(deps, world.run, item);
  world.clock.advance(DAY_MS);
  await world.tick();
  assert.equal((await identityOf(world, item.identity)).certificate.generation, item.generation);
  const rows = await deps.identities.due(new Date('2100-01-01'), Number.POSITIVE_INFINITY);
  assert.equal(
    rows.some(({ identity }) => identity.name === 'KMS'),
    false,
  );
});
