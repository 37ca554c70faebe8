import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { WalkedTable } from '../../../../shared/adapters/storage/table.ts';
import { TableFleetStore } from '../../../../shared/adapters/storage/table-fleet-store.ts';
import { TableRecordDump } from '../../../../shared/adapters/storage/table-record-dump.ts';
import type { Deployment } from '../../../../shared/ports/fleet-store.ts';

const AT = new Date('2026-11-21T08:00:00Z');
const ID = 'ab'.repeat(32);

const DEPLOYMENT: Deployment = {
  v: 1,
  createdAt: AT,
  shards: 32,
  rotationKeyVersion: 'r1',
  activeAuthorityId: 'a1',
  nextAuthorityId: null,
  deliveredBundleId: null,
  readyAt: AT,
  lastBackupAt: null,
  restoredAt: null,
};

/** Rows of any version and content, with keys as the record has them. */
const rowsOf = (count: number, data = 'x') =>
  Array.from({ length: count }, (_, i) => ({ key: `i|alpha|${String(i).padStart(4, '0')}`, v: i % 3, data }));

/**
 * The promises of WalkedTable (shared/adapters/storage/table.ts), RecordDump and RecordLoad (shared/ports/record-dump.ts), by
 * their numbers. `makeTable` gives one not yet prepared.
 */
export function describeRecordDump(name: string, makeTable: () => Promise<WalkedTable>): void {
  const make = async () => {
    const tables = { record: await makeTable(), serials: await makeTable(), keys: await makeTable() };
    const prepare = async () => {
      for (const table of Object.values(tables)) await table.prepare();
    };
    return { tables, prepare, dump: new TableRecordDump(tables), fleet: new TableFleetStore(tables.record) };
  };
  const prepared = async () => {
    const made = await make();
    await made.prepare();
    return made;
  };
  const keysIn = async (dump: TableRecordDump, partition: string, after: string | null = null) =>
    (await dump.rows('record', partition, after, 5000)).map(({ key }) => key);

  describe(`RecordDump: ${name}`, () => {
    test('tables that are not there have no partitions and no rows', async () => {
      const { dump } = await make();
      assert.equal(await dump.partitionAfter('record', null), null);
      assert.equal(await dump.partitionAfter('keys', '07'), null);
      assert.deepEqual(await dump.rows('record', '07', null, 10), []);
      assert.deepEqual(await dump.state(), { state: 'empty' });
    });

    test('2. partitions are named one behind the other, those without rows are not', async () => {
      const { dump, tables } = await prepared();
      for (const partition of ['fleet', '07', '31', '_x']) await dump.put('record', partition, rowsOf(3));
      await dump.put('record', 'gone', rowsOf(1));
      await tables.record.commit('gone', [{ op: 'remove', key: rowsOf(1)[0]?.key ?? '' }]);
      const found: string[] = [];
      for (let last = await dump.partitionAfter('record', null); last !== null; ) {
        found.push(last);
        last = await dump.partitionAfter('record', last);
      }
      assert.deepEqual(found, ['07', '31', '_x', 'fleet']);
      assert.equal(await dump.partitionAfter('serials', null), null);
    });

    test('3. rows come in key order, behind a key, as many as are wanted unless there are no more', async () => {
      const { dump } = await prepared();
      const all = rowsOf(1203);
      await dump.put('record', '07', all);
      await dump.put('record', '08', rowsOf(1));
      assert.deepEqual(
        (await dump.rows('record', '07', null, 5000)).map(({ key, v, data }) => ({ key, v, data })),
        all,
      );
      const keys = all.map(({ key }) => key);
      assert.deepEqual(
        (await dump.rows('record', '07', null, 1001)).map(({ key }) => key),
        keys.slice(0, 1001),
      );
      assert.deepEqual(
        (await dump.rows('record', '07', keys[1100] ?? '', 200)).map(({ key }) => key),
        keys.slice(1101),
      );
      assert.deepEqual(await dump.rows('record', '07', keys.at(-1) ?? '', 10), []);
    });

    test('4. a mark is another one each time that its row is written, also with the same data', async () => {
      const { dump } = await prepared();
      const marks = new Set<string>();
      for (let i = 0; i < 3; i++) {
        await dump.put('record', '07', rowsOf(2));
        for (const { key, mark } of await dump.rows('record', '07', null, 10)) marks.add(`${key} ${mark}`);
      }
      assert.equal(marks.size, 6);
    });
  });

  describe(`RecordLoad: ${name}`, () => {
    test('1. state says where a record has rows', async () => {
      const { dump } = await prepared();
      assert.deepEqual(await dump.state(), { state: 'empty' });
      await dump.put('keys', 'c', rowsOf(1));
      assert.deepEqual(await dump.state(), { state: 'used', table: 'keys', partition: 'c' });
    });

    test('2. begin takes an empty record for one copy, again and again, and keeps the program out', async () => {
      const { dump, fleet, tables } = await prepared();
      await dump.begin(ID);
      await dump.begin(ID);
      assert.deepEqual(await dump.state(), { state: 'loading', id: ID });
      await assert.rejects(dump.begin('another'), { code: 'Conflict' });
      await assert.rejects(fleet.deployment(), { code: 'NotReady', retryable: true });
      await assert.rejects(fleet.insertDeployment(DEPLOYMENT), { code: 'AlreadyExists' });
      assert.deepEqual(await new TableRecordDump(tables).state(), { state: 'loading', id: ID });
    });

    test('2. of several that begin at once for different copies, one has the record', async () => {
      const { tables } = await prepared();
      const ids = ['a', 'b', 'c', 'd'];
      const results = await Promise.allSettled(ids.map((id) => new TableRecordDump(tables).begin(id)));
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
    });

    test('2. begin does not take a record that is used', async () => {
      const { dump, fleet } = await prepared();
      await fleet.insertDeployment(DEPLOYMENT);
      await assert.rejects(dump.begin(ID), { code: 'Conflict' });
      assert.deepEqual((await fleet.deployment())?.value, DEPLOYMENT);
    });

    test('3. put writes whatever was there; rows as large as they can be come in as many transactions as it takes', async () => {
      const { dump } = await prepared();
      await dump.put('record', '07', rowsOf(250, 'first'));
      await dump.put('record', '07', rowsOf(250, 'second'));
      assert.ok((await dump.rows('record', '07', null, 500)).every(({ data }) => data === 'second'));
      await dump.put('record', '08', rowsOf(100, 'ä'.repeat(32_000)));
      assert.equal((await dump.rows('record', '08', null, 500)).length, 100);
    });

    test('3. clear removes the rows behind a key, up to and with another', async () => {
      const { dump } = await prepared();
      const keys = rowsOf(700).map(({ key }) => key);
      const at = (i: number) => keys[i] ?? '';
      await dump.put('record', '07', rowsOf(700));
      await dump.put('record', '08', rowsOf(1));
      await dump.clear('record', '07', at(9), at(19));
      await dump.clear('record', '07', at(9), at(19));
      assert.deepEqual(await keysIn(dump, '07'), [...keys.slice(0, 10), ...keys.slice(20)]);
      await dump.clear('record', '07', at(29), null);
      assert.deepEqual(await keysIn(dump, '07'), [...keys.slice(0, 10), ...keys.slice(20, 30)]);
      await dump.clear('record', '07', null, null);
      assert.deepEqual(await keysIn(dump, '07'), []);
      assert.deepEqual((await keysIn(dump, '08')).length, 1);
    });

    test('4. finish gives the record to the program as the copy has it, and not without a deployment', async () => {
      const source = await prepared();
      await source.fleet.insertDeployment(DEPLOYMENT);
      const { dump, fleet } = await prepared();
      await dump.begin(ID);
      await assert.rejects(dump.finish(AT), { code: 'NotFound' });
      await dump.clear('record', 'fleet', null, null);
      await dump.put('record', 'fleet', await source.dump.rows('record', 'fleet', null, 10));
      assert.deepEqual(await dump.state(), { state: 'loading', id: ID });
      await dump.finish(AT);
      await dump.finish(AT);
      assert.deepEqual((await fleet.deployment())?.value, { ...DEPLOYMENT, restoredAt: AT });
      assert.deepEqual(await dump.state(), { state: 'used', table: 'record', partition: 'fleet' });
    });

    test('4. a deployment of a later program is put back as it was', async () => {
      const { dump, tables } = await prepared();
      await dump.begin(ID);
      await dump.put('record', 'fleet', [{ key: 'deployment', v: 9, data: 'of a later program' }]);
      await dump.finish(AT);
      const row = await tables.record.get('fleet', 'deployment');
      assert.deepEqual([row?.v, row?.data], [9, 'of a later program']);
    });
  });
}
