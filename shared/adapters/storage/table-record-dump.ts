import { EverleafError, isEverleafError } from '../../domain/errors.ts';
import type { DumpedRow, MarkedRow, RecordDump, RecordLoad, RecordState } from '../../ports/record-dump.ts';
import { ROW_VERSION } from './row-codec.ts';
import type { WalkedTable } from './table.ts';
import { DEPLOYMENT_ROW, LOADING_VERSION } from './table-fleet-store.ts';

/** What one transaction takes: 100 rows, and 4 MiB of which the frame around each row is a part. */
const MOST_ROWS = 100;
const MOST_CHARACTERS = 1_000_000;
const PAGE = 500;

export interface RecordTables {
  readonly record: WalkedTable;
  readonly serials: WalkedTable;
  readonly keys: WalkedTable;
}

/**
 * The tables of the record as rows that nobody looks into. While a copy is put in, a row of a version that no program
 * writes stands in the deployment's place: it is the lock that keeps the program away, and says which copy it is. The
 * copy's own deployment row takes its place at the end.
 */
export class TableRecordDump implements RecordDump, RecordLoad {
  readonly tables = ['record', 'serials', 'keys'] as const;
  readonly #tables: RecordTables;
  #deployment: DumpedRow | null = null;

  constructor(tables: RecordTables) {
    this.#tables = tables;
  }

  async partitionAfter(table: string, partition: string | null): Promise<string | null> {
    return this.#table(table).partitionAfter(partition);
  }

  async rows(
    table: string,
    partition: string,
    after: string | null,
    limit: number,
  ): Promise<readonly MarkedRow[]> {
    const rows = await this.#table(table).rowsAfter(partition, after, limit);
    return rows.map(({ key, v, data, etag }) => ({ key, v, data, mark: etag }));
  }

  async state(): Promise<RecordState> {
    const lock = await this.#tables.record.get(DEPLOYMENT_ROW.partition, DEPLOYMENT_ROW.key);
    if (lock?.v === LOADING_VERSION) return { state: 'loading', id: lock.data };
    for (const table of this.tables) {
      const partition = await this.#table(table).partitionAfter(null);
      if (partition !== null) return { state: 'used', table, partition };
    }
    return { state: 'empty' };
  }

  async begin(id: string): Promise<void> {
    const state = await this.state();
    if (state.state === 'loading' && state.id === id) return;
    if (state.state !== 'empty') {
      throw new EverleafError('Conflict', 'The record is not empty, so nothing can be put into it.');
    }
    const { partition, key } = DEPLOYMENT_ROW;
    try {
      await this.#tables.record.commit(partition, [{ op: 'insert', key, v: LOADING_VERSION, data: id }]);
    } catch (error) {
      // An answer that got lost, for example: the row itself tells whose it is.
      const after = await this.state();
      if (!isEverleafError(error, 'Conflict') || after.state !== 'loading' || after.id !== id) throw error;
    }
  }

  async put(table: string, partition: string, rows: readonly DumpedRow[]): Promise<void> {
    const others = rows.filter((row) => {
      const isDeployment = isDeploymentRow(table, partition, row.key);
      if (isDeployment) this.#deployment = row;
      return !isDeployment;
    });
    for (const batch of batches(others)) {
      const operations = batch.map(({ key, v, data }) => ({ op: 'put', key, v, data }) as const);
      await this.#table(table).commit(partition, operations);
    }
  }

  async clear(table: string, partition: string, after: string | null, through: string | null): Promise<void> {
    for (let from = after; ; ) {
      const rows = await this.#table(table).rowsAfter(partition, from, PAGE);
      const inside = rows.filter(({ key }) => through === null || key <= through);
      const doomed = inside.filter(({ key }) => !isDeploymentRow(table, partition, key));
      for (let start = 0; start < doomed.length; start += MOST_ROWS) {
        const batch = doomed.slice(start, start + MOST_ROWS);
        await this.#table(table).commit(
          partition,
          batch.map(({ key }) => ({ op: 'remove', key })),
        );
      }
      const last = inside.at(-1)?.key;
      if (inside.length < PAGE || last === undefined) return;
      from = last;
    }
  }

  async finish(at: Date): Promise<void> {
    if (this.#deployment === null) {
      throw new EverleafError('NotFound', 'The copy has no deployment row, so it is no whole record.');
    }
    const { key, v, data } = this.#deployment;
    // A later program's row is left as it is: what it says of a restored record is not known here.
    const restored = v === ROW_VERSION ? JSON.stringify({ ...JSON.parse(data), restoredAt: at }) : data;
    await this.#tables.record.commit(DEPLOYMENT_ROW.partition, [{ op: 'put', key, v, data: restored }]);
  }

  #table(name: string): WalkedTable {
    const found = this.tables.find((known) => known === name);
    if (found === undefined) throw new EverleafError('Internal', `The record has no table "${name}".`);
    return this.#tables[found];
  }
}

function isDeploymentRow(table: string, partition: string, key: string): boolean {
  return table === 'record' && partition === DEPLOYMENT_ROW.partition && key === DEPLOYMENT_ROW.key;
}

function* batches(rows: readonly DumpedRow[]): Generator<readonly DumpedRow[]> {
  let batch: DumpedRow[] = [];
  let characters = 0;
  for (const row of rows) {
    if (batch.length === MOST_ROWS || (batch.length > 0 && characters + row.data.length > MOST_CHARACTERS)) {
      yield batch;
      batch = [];
      characters = 0;
    }
    batch.push(row);
    characters += row.data.length;
  }
  if (batch.length > 0) yield batch;
}
