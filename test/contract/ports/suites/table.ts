import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { RowOperation, Table } from '../../../../shared/adapters/storage/table.ts';

const insert = (key: string, data = 'first'): RowOperation => ({ op: 'insert', key, v: 1, data });
const put = (key: string, data: string): RowOperation => ({ op: 'put', key, v: 1, data });
const replace = (key: string, data: string, etag: string): RowOperation => ({
  op: 'replace',
  key,
  v: 1,
  data,
  etag,
});
const remove = (key: string): RowOperation => ({ op: 'remove', key });

const keyOf = (i: number) => `k${String(i).padStart(4, '0')}`;

async function etagOf(table: Table, key: string): Promise<string> {
  const row = await table.get('p', key);
  assert.ok(row !== null);
  return row.etag;
}

/** The promises of Table (shared/adapters/storage/table.ts), by their numbers. `makeTable` gives one not yet prepared. */
export function describeTable(name: string, makeTable: () => Promise<Table>): void {
  const prepared = async () => {
    const table = await makeTable();
    await table.prepare();
    return table;
  };

  describe(`Table: ${name}`, () => {
    test('1. get answers a row as it was written, and null for one that is not there', async () => {
      const table = await prepared();
      const data = '{"text":"ä, \\"quoted\\", 10 % & more"}';
      await table.commit('p', [{ op: 'insert', key: 'k|with|bars', v: 7, data }]);
      const row = await table.get('p', 'k|with|bars');
      assert.ok(row !== null);
      const { etag, ...rest } = row;
      assert.deepEqual(rest, { partition: 'p', key: 'k|with|bars', v: 7, data });
      assert.notEqual(etag, '');
      assert.equal(await table.get('p', 'other'), null);
      assert.equal(await table.get('q', 'k|with|bars'), null);
    });

    test('1. a key that no row can have is not there, and cannot be written', async () => {
      const table = await prepared();
      await table.commit('p', [insert('k'.repeat(512), 'x'.repeat(32_768))]);
      assert.equal((await table.get('p', 'k'.repeat(512)))?.data.length, 32_768);
      for (const key of ['a/b', 'a\\b', '#', '?', 'a\nb', '\u0000', '\u009f', 'k'.repeat(513)]) {
        assert.equal(await table.get('p', key), null);
        await assert.rejects(table.commit('p', [insert('good'), insert(key)]), { code: 'StorageRefused' });
      }
      await assert.rejects(table.commit('p', [put('k', 'x'.repeat(32_769))]), { code: 'StorageRefused' });
      assert.equal(await table.get('p', 'good'), null);
    });

    test('2. range answers the rows of one partition between its bounds, in key order, up to the limit', async () => {
      const table = await prepared();
      await table.commit(
        'p',
        ['d|3', 'd|1', 'c|9', 'd|2', 'd}', 'e|0'].map((key) => insert(key)),
      );
      await table.commit('q', [insert('d|1')]);
      const keys = async (from: string, before: string, limit: number) =>
        (await table.range('p', from, before, limit)).map(({ key }) => key);
      assert.deepEqual(await keys('d|', 'd}', Number.POSITIVE_INFINITY), ['d|1', 'd|2', 'd|3']);
      assert.deepEqual(await keys('d|1', 'd|3', 10), ['d|1', 'd|2']);
      assert.deepEqual(await keys('d|', 'd}', 2), ['d|1', 'd|2']);
      assert.deepEqual(await keys('x', 'y', 10), []);
    });

    test('2. range goes on past the thousand rows of one answer', async () => {
      const table = await prepared();
      for (let batch = 0; batch < 11; batch++) {
        await table.commit(
          'p',
          Array.from({ length: 100 }, (_, i) => insert(keyOf(batch * 100 + i))),
        );
      }
      const all = await table.range('p', 'k', 'l', Number.POSITIVE_INFINITY);
      assert.deepEqual(
        all.map(({ key }) => key),
        Array.from({ length: 1100 }, (_, i) => keyOf(i)),
      );
      assert.equal((await table.range('p', 'k', 'l', 1050)).length, 1050);
    });

    test('3. commit does everything or nothing: a failing operation undoes those before it', async () => {
      const table = await prepared();
      await table.commit('p', [insert('there')]);
      await assert.rejects(table.commit('p', [put('new', 'x'), remove('there'), insert('there')]), {
        code: 'StorageRefused',
      });
      await assert.rejects(table.commit('p', [put('new', 'x'), insert('there', 'second')]), {
        code: 'Conflict',
      });
      assert.equal(await table.get('p', 'new'), null);
      assert.equal((await table.get('p', 'there'))?.data, 'first');
    });

    test('3. a replace wants the etag that was read, and changes it', async () => {
      const table = await prepared();
      await table.commit('p', [insert('a')]);
      const etag = await etagOf(table, 'a');
      await table.commit('p', [replace('a', 'second', etag)]);
      assert.equal((await table.get('p', 'a'))?.data, 'second');
      assert.notEqual(await etagOf(table, 'a'), etag);
      await assert.rejects(table.commit('p', [replace('a', 'third', etag)]), { code: 'Conflict' });
      assert.equal((await table.get('p', 'a'))?.data, 'second');
    });

    test('3. a replace of a row that is gone is a Conflict, alone and beside a removal of one that is gone', async () => {
      const table = await prepared();
      await table.commit('p', [insert('a')]);
      const etag = await etagOf(table, 'a');
      await table.commit('p', [remove('a')]);
      await assert.rejects(table.commit('p', [replace('a', 'x', etag)]), { code: 'Conflict' });
      await assert.rejects(table.commit('p', [remove('gone'), replace('a', 'x', etag), put('b', 'x')]), {
        code: 'Conflict',
      });
      assert.equal(await table.get('p', 'b'), null);
    });

    test('3. put writes whatever was there, and removing a row that is gone does nothing', async () => {
      const table = await prepared();
      await table.commit('p', [put('a', '1')]);
      await table.commit('p', [put('a', '2'), remove('gone'), remove('gone too'), insert('b')]);
      assert.equal((await table.get('p', 'a'))?.data, '2');
      assert.equal((await table.get('p', 'b'))?.data, 'first');
      await table.commit('p', [remove('gone')]);
      await table.commit('p', []);
    });

    test('3. a hundred operations are one transaction; more, or one row twice, are refused', async () => {
      const table = await prepared();
      const operations = Array.from({ length: 101 }, (_, i) => insert(keyOf(i)));
      await assert.rejects(table.commit('p', operations), { code: 'StorageRefused' });
      await assert.rejects(table.commit('p', [put('a', '1'), put('a', '2')]), { code: 'StorageRefused' });
      assert.equal((await table.range('p', '', '~', 10)).length, 0);
      await table.commit('p', operations.slice(1));
      assert.equal((await table.range('p', '', '~', 1000)).length, 100);
    });

    test('4. of many that replace one row at once one succeeds, and every later read shows it', async () => {
      const table = await prepared();
      await table.commit('p', [insert('a')]);
      const etag = await etagOf(table, 'a');
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, (_, i) => table.commit('p', [replace('a', `by ${i}`, etag)])),
      );
      const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [`by ${i}`] : []));
      assert.equal(winners.length, 1);
      assert.equal((await table.get('p', 'a'))?.data, winners[0]);
      for (const result of results) {
        if (result.status === 'rejected') assert.equal(result.reason.code, 'Conflict');
      }
    });

    test('5. prepare may be repeated; before it reads find nothing and commit fails', async () => {
      const table = await makeTable();
      assert.equal(await table.get('p', 'a'), null);
      assert.deepEqual(await table.range('p', '', '~', 10), []);
      await assert.rejects(table.commit('p', [insert('a')]), { code: 'StorageRefused' });
      await assert.rejects(table.commit('p', [remove('a'), put('b', 'x')]), { code: 'StorageRefused' });
      await table.prepare();
      await table.commit('p', [insert('a')]);
      await table.prepare();
      assert.equal((await table.get('p', 'a'))?.data, 'first');
    });
  });
}
