import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryTable } from '../../shared/adapters/memory/memory-table.ts';
import { TableRecordDump } from '../../shared/adapters/storage/table-record-dump.ts';
import { nodeDigest } from '../../shared/adapters/system/node-digest.ts';
import type { DumpedRow } from '../../shared/ports/record-dump.ts';
import { type Walk, walkRecord } from '../../shared/use-cases/walk-record.ts';
import { mulberry32 } from '../support/seeded-random.ts';

const PARTITIONS = ['00', '01', 'fleet'];
const ROWS = 40;
const PAGE = 4;

/** Accounts whose sum no transaction changes: a copy with half of one has another sum. */
class Accounts {
  readonly tables = { record: new MemoryTable(), serials: new MemoryTable(), keys: new MemoryTable() };
  readonly #random: () => number;
  #next = ROWS;

  constructor(random: () => number) {
    this.#random = random;
  }

  static async open(random: () => number): Promise<Accounts> {
    const accounts = new Accounts(random);
    const rows = Array.from(
      { length: ROWS },
      (_, i) => ({ op: 'put', key: keyOf(i), v: 1, data: '10' }) as const,
    );
    for (const table of Object.values(accounts.tables)) {
      await table.prepare();
      for (const partition of PARTITIONS) await table.commit(partition, rows);
    }
    return accounts;
  }

  /** Moves what one account has to another, or to a new one while the old one is closed. */
  async transfer(): Promise<void> {
    const table = this.#pick(Object.values(this.tables));
    const partition = this.#pick(PARTITIONS);
    const rows = await table.rowsAfter(partition, null, 1000);
    const [from, to] = [this.#pick(rows), this.#pick(rows)];
    if (from.key === to.key) return;
    if (this.#random() < 0.3) {
      // Anywhere between the others.
      this.#next += 1;
      const key = `${keyOf(Math.floor(this.#random() * ROWS))}-${this.#next}`;
      await table.commit(partition, [
        { op: 'remove', key: from.key },
        { op: 'insert', key, v: 1, data: from.data },
      ]);
      return;
    }
    await table.commit(partition, [
      { op: 'put', key: from.key, v: 1, data: String(Number(from.data) - 1) },
      { op: 'put', key: to.key, v: 1, data: String(Number(to.data) + 1) },
    ]);
  }

  #pick<T>(list: readonly T[]): T {
    const found = list[Math.floor(this.#random() * list.length)];
    assert.ok(found !== undefined);
    return found;
  }
}

const keyOf = (i: number) => `i|${String(i).padStart(3, '0')}`;

async function sumOf(table: MemoryTable, partition: string): Promise<number> {
  return (await table.rowsAfter(partition, null, 1000)).reduce((sum, { data }) => sum + Number(data), 0);
}

test('50 a copy has every partition as it was at one moment, however transactions fall between its pages', async () => {
  let again = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const random = mulberry32(seed);
    const accounts = await Accounts.open(random);
    const source = new TableRecordDump(accounts.tables);
    const recordDump = {
      tables: source.tables,
      partitionAfter: (table: string, partition: string | null) => source.partitionAfter(table, partition),
      rows: async (table: string, partition: string, after: string | null, limit: number) => {
        if (random() < 0.1) await accounts.transfer();
        return source.rows(table, partition, after, limit);
      },
    };
    const copy = { record: new MemoryTable(), serials: new MemoryTable(), keys: new MemoryTable() };
    for (const table of Object.values(copy)) await table.prepare();
    const target = new TableRecordDump(copy);
    const walk: Walk = { rows: 0, restless: [] };
    let place = { table: '', partition: '' };
    for await (const lines of walkRecord({ recordDump, digest: nodeDigest }, walk, PAGE)) {
      const rows: DumpedRow[] = [];
      for (const line of lines) {
        if (line.kind === 'partition') place = line;
        if (line.kind === 'row') rows.push(line);
        if (line.kind !== 'again') continue;
        again += 1;
        await target.clear(place.table, place.partition, line.after, line.through);
      }
      await target.put(place.table, place.partition, rows);
    }
    let rows = 0;
    for (const [name, table] of Object.entries(copy)) {
      for (const partition of PARTITIONS) {
        rows += (await table.rowsAfter(partition, null, 1000)).length;
        if (walk.restless.includes(`${name}/${partition}`)) continue;
        assert.equal(await sumOf(table, partition), ROWS * 10, `seed ${seed}: ${name}/${partition}`);
      }
    }
    assert.equal(rows, walk.rows, `seed ${seed}`);
    assert.ok(walk.restless.length <= 1, `seed ${seed}: ${walk.restless.join(' ')}`);
  }
  assert.ok(again > 30, 'nothing was ever read again');
});

test('50 a partition that never comes to rest is named, and does not keep the copy from its end', async () => {
  const accounts = await Accounts.open(mulberry32(1));
  const source = new TableRecordDump(accounts.tables);
  let writes = 0;
  const recordDump = {
    tables: ['record'],
    partitionAfter: (table: string, partition: string | null) => source.partitionAfter(table, partition),
    rows: async (table: string, partition: string, after: string | null, limit: number) => {
      if (partition === '01' && after === null) {
        writes += 1;
        await accounts.tables.record.commit('01', [{ op: 'put', key: keyOf(1), v: 1, data: `${writes}` }]);
      }
      return source.rows(table, partition, after, limit);
    },
  };
  const walk: Walk = { rows: 0, restless: [] };
  for await (const _ of walkRecord({ recordDump, digest: nodeDigest }, walk, PAGE));
  assert.deepEqual(walk.restless, ['record/01']);
  assert.equal(walk.rows, PARTITIONS.length * ROWS);
});
