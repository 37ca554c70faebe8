import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readWorkItem } from '../../shared/adapters/storage/work-message.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { RECORD_SHARDS, shardOf } from '../../shared/domain/sharding.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { getPlan } from '../../shared/use-cases/get-plan.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { identityOf, KMS, logIn, management, requestOf, tokenFromVault } from '../support/agent.ts';
import { allIdentities } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

const PARTITION = String(shardOf('management', RECORD_SHARDS)).padStart(2, '0');

/** A newer program has taken over the row: version 2, of a shape that nobody here knows. */
async function takeOver(world: World, partition: string, key: string): Promise<string> {
  const data = JSON.stringify({ v: 2, whatever: ['is', 'new'] });
  await world.tables.record.commit(partition, [{ op: 'put', key, v: 2, data }]);
  return data;
}

async function startedWorld(): Promise<World> {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  return world;
}

test('09 an identity of a newer program is left alone, and the others are renewed', async () => {
  const world = await startedWorld();
  const data = await takeOver(world, PARTITION, 'i|management|kms');
  world.clock.advance(46 * DAY_MS);
  await assert.rejects(renewDue(world.deps, world.run), { code: 'UnknownRecordVersion' });
  assert.equal(world.queue.takeAll().length, 14);
  assert.equal((await world.tables.record.get(PARTITION, 'i|management|kms'))?.data, data);
});

test('09 a list leaves it out, and asking for it by name says why there is no answer', async () => {
  const world = await startedWorld();
  const token = tokenFromVault(world, KMS);
  await takeOver(world, PARTITION, 'i|management|kms');
  assert.equal((await allIdentities(world)).length, 9);
  const status = await getStatus(world.deps, { cluster: null, state: null, limit: 500, cursor: null });
  assert.equal(status.totals.identities, 9);
  await assert.rejects(identityOf(world, KMS), { code: 'UnknownRecordVersion' });
  await assert.rejects(logIn(world, token, requestOf(KMS, 'replica')), { code: 'UnknownRecordVersion' });
});

test('09 a due row of a newer program is neither read nor removed', async () => {
  const world = await startedWorld();
  const key = 'd|202611210800|management|kms|something-new';
  const data = await takeOver(world, PARTITION, key);
  world.clock.advance(46 * DAY_MS);
  assert.deepEqual(await renewDue(world.deps, world.run), {
    due: 16,
    queued: 16,
    reminded: 2,
    postponed: 0,
    failed: 0,
  });
  assert.equal((await world.tables.record.get(PARTITION, key))?.data, data);
  const plan = await getPlan(world.deps, { at: null, cluster: 'management', limit: 500, offset: 0 });
  assert.equal(plan.entries.length, 0);
});

test('09 an instance of a newer program does not hinder a login with another key', async () => {
  const world = await startedWorld();
  await takeOver(world, PARTITION, 'n|management|kms|something-new');
  const answer = await logIn(world, tokenFromVault(world, KMS), requestOf(KMS, 'replica'));
  assert.equal((await world.deps.identities.instances(KMS)).length, 1);
  assert.equal(answer.instance, (await world.deps.identities.instances(KMS))[0]?.id);
});

test('09 a cluster of a newer program does not take the status page away', async () => {
  const world = await startedWorld();
  await takeOver(world, 'fleet', 'cluster|newer');
  const status = await getStatus(world.deps, { cluster: null, state: null, limit: 1, cursor: null });
  assert.equal(status.totals.clusters, 1);
});

test('09 an authority of a newer program stops logins: a bundle without it would be wrong', async () => {
  const world = await startedWorld();
  await takeOver(world, 'fleet', 'authority|newer');
  const token = tokenFromVault(world, management('CSI'));
  await assert.rejects(logIn(world, token, null), { code: 'UnknownRecordVersion' });
});

test('09 a message of a newer program is refused by name, and one that is none as such', () => {
  const item = { v: 1, identity: { cluster: 'management', name: 'KMS' }, kind: 'certificate', generation: 1 };
  assert.deepEqual(readWorkItem({ ...item, note: 'of no importance' }), item);
  assert.throws(() => readWorkItem({ ...item, v: 2 }), { code: 'UnknownRecordVersion' });
  for (const message of [null, 'text', { v: 1 }, { ...item, generation: -1 }, { ...item, kind: 'key' }]) {
    assert.throws(() => readWorkItem(message), { code: 'InvalidInput' });
  }
});
