import type { RowOperation, StoredRow, Table } from '../../shared/adapters/storage/table.ts';

export interface TableCounts {
  /** Point reads and range reads. */
  readonly queries: number;
  readonly transactions: number;
  readonly rowsReturned: number;
}

/** A table that counts what is asked of it. */
export class CountedTable implements Table {
  readonly #table: Table;
  #queries = 0;
  #transactions = 0;
  #rowsReturned = 0;

  constructor(table: Table) {
    this.#table = table;
  }

  get counts(): TableCounts {
    return { queries: this.#queries, transactions: this.#transactions, rowsReturned: this.#rowsReturned };
  }

  prepare(): Promise<void> {
    return this.#table.prepare();
  }

  async get(partition: string, key: string): Promise<StoredRow | null> {
    this.#queries += 1;
    const row = await this.#table.get(partition, key);
    this.#rowsReturned += row === null ? 0 : 1;
    return row;
  }

  async range(partition: string, from: string, before: string, limit: number): Promise<StoredRow[]> {
    this.#queries += 1;
    const rows = await this.#table.range(partition, from, before, limit);
    this.#rowsReturned += rows.length;
    return rows;
  }

  commit(partition: string, operations: readonly RowOperation[]): Promise<void> {
    this.#transactions += 1;
    return this.#table.commit(partition, operations);
  }
}
