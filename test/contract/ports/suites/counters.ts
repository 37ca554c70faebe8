import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Table } from '../../../../shared/adapters/storage/table.ts';
import { TableCounters } from '../../../../shared/adapters/storage/table-counters.ts';
import { addMs, MINUTE_MS } from '../../../../shared/domain/instants.ts';

const WINDOW = new Date('2026-11-21T08:00:00Z');
const NEXT = addMs(WINDOW, MINUTE_MS);
const NAME = 'a1b2c3';

/** The promises of Counters (shared/ports/counters.ts), by their numbers, on tables of `makeTable`. */
export function describeCounters(name: string, makeTable: () => Promise<Table>): void {
  const makeCounters = async () => {
    const table = await makeTable();
    await table.prepare();
    return { table, counters: new TableCounters(table) };
  };

  describe(`Counters: ${name}`, () => {
    test('1. add counts one and answers the count so far, whoever added', async () => {
      const { table, counters } = await makeCounters();
      const another = new TableCounters(table);
      assert.equal(await counters.add(NAME, WINDOW), 1);
      assert.equal(await another.add(NAME, WINDOW), 2);
      assert.equal(await counters.add(NAME, WINDOW), 3);
      assert.equal(await counters.add(NAME, WINDOW, 4), 7);
    });

    test('2. count answers what was added, and 0 where nothing was', async () => {
      const { counters } = await makeCounters();
      assert.equal(await counters.count(NAME, WINDOW), 0);
      await counters.add(NAME, WINDOW);
      await counters.add(NAME, WINDOW);
      assert.equal(await counters.count(NAME, WINDOW), 2);
    });

    test('3. another name and another window have counts of their own', async () => {
      const { counters } = await makeCounters();
      await counters.add(NAME, WINDOW);
      assert.equal(await counters.add(`${NAME}d4`, WINDOW), 1);
      assert.equal(await counters.add('f0', WINDOW), 1);
      assert.equal(await counters.add(NAME, NEXT), 1);
      assert.equal(await counters.count(NAME, WINDOW), 1);
    });

    test('4. of many that add at once each is counted once or fails with Conflict', async () => {
      const { counters } = await makeCounters();
      const additions = await Promise.allSettled(
        Array.from({ length: 12 }, () => counters.add(NAME, WINDOW)),
      );
      const counted = additions.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const codes = additions.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
      assert.deepEqual(new Set(codes), new Set(codes.length === 0 ? [] : ['Conflict']));
      assert.equal(new Set(counted).size, counted.length, 'every count is answered once');
      assert.equal(await counters.count(NAME, WINDOW), counted.length);
    });

    test('5. removeBefore removes the windows that began before a moment, in every partition, and no other', async () => {
      const { counters } = await makeCounters();
      const names = [...'0123456789abcdef'].map((digit) => `${digit}0`);
      for (const one of names) {
        await counters.add(one, WINDOW);
        await counters.add(one, NEXT);
      }
      assert.equal(await counters.removeBefore(WINDOW), 0);
      assert.equal(await counters.removeBefore(NEXT), names.length);
      assert.equal(await counters.removeBefore(NEXT), 0);
      for (const one of names) {
        assert.equal(await counters.count(one, WINDOW), 0);
        assert.equal(await counters.count(one, NEXT), 1);
      }
    });

    test('5. removeBefore removes more than one transaction can', async () => {
      const { table, counters } = await makeCounters();
      const rows = Array.from({ length: 100 }, (_, i) => ({
        ...({ op: 'insert', v: 1, data: '{"count":1}' } as const),
        key: `202611210700|a${i}`,
      }));
      await table.commit('a', rows);
      await counters.add(NAME, WINDOW);
      assert.equal(await counters.removeBefore(NEXT), 101);
    });

    test('1. a row of a newer program is left as it is', async () => {
      const { table, counters } = await makeCounters();
      await table.commit('a', [{ op: 'put', key: `202611210800|${NAME}`, v: 2, data: '{"new":true}' }]);
      await assert.rejects(counters.add(NAME, WINDOW), { code: 'UnknownRecordVersion' });
      await assert.rejects(counters.count(NAME, WINDOW), { code: 'UnknownRecordVersion' });
    });
  });
}
