import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Table } from '../../../../shared/adapters/storage/table.ts';
import { TableIdentityStore } from '../../../../shared/adapters/storage/table-identity-store.ts';
import { TableOperationStore } from '../../../../shared/adapters/storage/table-operation-store.ts';
import { systemRandom } from '../../../../shared/adapters/system/system-random.ts';
import { FLEET_CHAIN } from '../../../../shared/domain/audit.ts';
import type { Operation, OperationItem } from '../../../../shared/domain/operation.ts';
import { RECORD_SHARDS } from '../../../../shared/domain/sharding.ts';
import type { KeyedRequest } from '../../../../shared/ports/operation-store.ts';
import { clusterEvent } from '../../../../shared/use-cases/clusters.ts';
import { newOperationId } from '../../../../shared/use-cases/keyed-request.ts';

const AT = new Date('2026-11-21T08:00:00Z');

const items = (count: number): OperationItem[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `kubelet-${'n'.repeat(51)}${i}`,
    credential: i % 2 === 0 ? 'certificate' : 'token',
    incarnation: 1,
    generation: i,
    task: 'rotate',
    reason: null,
  }));

const keyed = (digit: string, createdAt: Date, operationId = 'one'): KeyedRequest => ({
  v: 1,
  keyHash: digit.repeat(64),
  method: 'POST',
  path: '/api/clusters',
  bodyHash: '0'.repeat(64),
  operationId,
  createdAt,
});

/** The promises of OperationStore (shared/ports/operation-store.ts), by their numbers, on a table of `makeTable`. */
export function describeOperationStore(name: string, makeTable: () => Promise<Table>): void {
  const makeStore = async () => {
    const table = await makeTable();
    await table.prepare();
    const [serials, keys] = [await makeTable(), await makeTable()];
    const identities = new TableIdentityStore({ record: table, serials, keys }, RECORD_SHARDS);
    const deps = { identities, random: systemRandom, clock: { now: () => AT } } as never;
    const run = {
      actor: { kind: 'operator', id: 'somebody', source: null },
      correlationId: 'a-correlation-id',
    } as never;
    const operation: Operation = {
      v: 1,
      id: newOperationId(deps, 'alpha'),
      kind: 'update',
      cluster: 'alpha',
      credentials: ['cloud', 'kubelet'],
      force: true,
      requestedBy: 'somebody',
      requestedAt: AT,
      finishedAt: null,
    };
    return {
      table,
      operation,
      store: new TableOperationStore(table, RECORD_SHARDS),
      event: () => clusterEvent(deps, run, 'operation-started', 'alpha'),
      events: async () => {
        const shard = String(Number.parseInt(operation.id.slice(0, 2), 16)).padStart(2, '0');
        return (await table.range(shard, 'o|', 'o}', 100)).length;
      },
    };
  };

  describe(`OperationStore: ${name}`, () => {
    test('1. an operation comes with all of its items, open, and with its event', async () => {
      const { store, operation, event, events } = await makeStore();
      const all = items(1008);
      await store.insert(operation, all, event());
      assert.deepEqual((await store.operation(operation.id))?.value, operation);
      assert.deepEqual(await store.items(operation.id), all);
      assert.deepEqual(await store.open(), [operation.id]);
      assert.equal(await events(), 1);
    });

    test('1. a second one of the same id is AlreadyExists and changes nothing', async () => {
      const { store, operation, event, events } = await makeStore();
      await store.insert(operation, items(2), event());
      await assert.rejects(store.insert({ ...operation, kind: 'renew' }, items(3), event()), {
        code: 'AlreadyExists',
      });
      assert.equal((await store.operation(operation.id))?.value.kind, 'update');
      assert.equal((await store.items(operation.id)).length, 2);
      assert.equal(await events(), 1);
    });

    test('1. one with more items than a transaction holds is refused as a whole', async () => {
      const { store, operation, event } = await makeStore();
      await assert.rejects(store.insert(operation, items(9_800), event()), { code: 'InvalidInput' });
      assert.equal(await store.operation(operation.id), null);
    });

    test('1. one about the whole fleet may have any number of items', async () => {
      const { store, table, operation } = await makeStore();
      const fleet = { ...operation, kind: 'taint', cluster: FLEET_CHAIN } as const;
      const all = items(9_801).map((item) => ({ ...item, cluster: 'a-cluster-with-the-longest-name1' }));
      const deps = { random: systemRandom, clock: { now: () => AT } } as never;
      const run = { actor: { kind: 'operator', id: 'somebody', source: null }, correlationId: 'an-id' };
      // A run before this one was killed on the way: what it left counts for nothing.
      const partition = String(Number.parseInt(operation.id.slice(0, 2), 16)).padStart(2, '0');
      await table.commit(partition, [{ op: 'insert', key: `pi|${operation.id}|0098`, v: 1, data: '[]' }]);
      await store.insert(fleet, all, clusterEvent(deps, run as never, 'operation-started', FLEET_CHAIN));
      assert.deepEqual((await store.operation(operation.id))?.value, fleet);
      assert.deepEqual(await store.items(operation.id), all);
      assert.deepEqual(await store.open(), [operation.id]);
    });

    test('2. the first to finish it takes it out of the index; another gets Conflict', async () => {
      const { store, operation, event, events } = await makeStore();
      await store.insert(operation, items(1), event());
      const stored = await store.operation(operation.id);
      assert.ok(stored !== null);
      const finished = { ...operation, finishedAt: AT };
      await store.finish(finished, stored.etag, event());
      await assert.rejects(store.finish(finished, stored.etag, event()), { code: 'Conflict' });
      assert.deepEqual(await store.open(), []);
      assert.deepEqual((await store.operation(operation.id))?.value.finishedAt, AT);
      assert.equal(await events(), 2);
    });

    test('5. a key belongs to its first request, and is forgotten when that is old', async () => {
      const { store } = await makeStore();
      const first = keyed('a', AT);
      assert.deepEqual(await store.claimRequest(first), first);
      assert.deepEqual(await store.claimRequest({ ...first, operationId: 'two' }), first);
      await store.claimRequest(keyed('b', new Date(AT.getTime() + 1)));
      assert.equal(await store.forgetRequests(new Date(AT.getTime() + 1)), 1);
      assert.equal(await store.forgetRequests(new Date(AT.getTime() + 1)), 0);
      assert.equal((await store.claimRequest(keyed('a', AT, 'three'))).operationId, 'three');
    });

    test('6. what is not there is null or nothing, whatever the text of the id', async () => {
      const { store } = await makeStore();
      for (const id of ['', 'x', '..', "'", 'A'.repeat(32), '0'.repeat(32), 'ö'.repeat(32)]) {
        assert.equal(await store.operation(id), null);
        assert.deepEqual(await store.items(id), []);
      }
      assert.deepEqual(await store.open(), []);
    });

    test('6. a row of a newer program fails where it is read by its id, and is left out of the open ones', async () => {
      const { store, table } = await makeStore();
      const id = '01'.repeat(16);
      for (const key of [`p|${id}`, `po|${id}`]) {
        await table.commit('01', [{ op: 'insert', key, v: 2, data: '{}' }]);
      }
      await assert.rejects(store.operation(id), { code: 'UnknownRecordVersion' });
      assert.deepEqual(await store.open(), []);
    });
  });
}
