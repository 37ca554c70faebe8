import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTable } from '../../shared/adapters/memory/memory-table.ts';
import { loadFleet } from '../support/large-fleet.ts';
import { type CountedScan, scanFleet } from '../support/scan-fleet.ts';

const DUE = 1000;

test('15 a scan costs what is due and not what there is: the same among 10,000, 100,000 and 1,000,000 identities', async () => {
  const scans: CountedScan[] = [];
  for (const identities of [10_000, 100_000, 1_000_000]) {
    const table = new MemoryTable();
    await table.prepare();
    await loadFleet(table, { identities, due: DUE, isTextShared: true });
    scans.push(await scanFleet(table));
  }
  const [small, middle, large] = scans;
  assert.deepEqual(small?.outcome, { due: DUE, queued: DUE, reminded: 0, postponed: 0, failed: 0 });
  assert.deepEqual(middle, small);
  assert.deepEqual(large, small);
  // 32 ranges, each due identity once, and the lease when it is taken and when it is given back.
  assert.equal(small?.queries, 32 + DUE + 2);
  assert.equal(small?.transactions, DUE + 2);
  // Each due row and its identity; the lease is there at its end alone.
  assert.equal(small?.rowsReturned, 2 * DUE + 1);
  assert.equal(small?.rowsExamined, small?.rowsReturned);
});
