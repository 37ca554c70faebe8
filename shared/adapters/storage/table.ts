/** A row of a table: what it says is `data`, JSON of a shape that `v` names. */
export interface TableRow {
  readonly partition: string;
  readonly key: string;
  readonly v: number;
  readonly data: string;
}

export type StoredRow = TableRow & { readonly etag: string };

export type RowOperation =
  | { readonly op: 'insert' | 'put'; readonly key: string; readonly v: number; readonly data: string }
  | {
      readonly op: 'replace';
      readonly key: string;
      readonly v: number;
      readonly data: string;
      readonly etag: string;
    }
  | { readonly op: 'remove'; readonly key: string };

/**
 * What the record needs of Azure Table storage, and what the memory twin does as well.
 * 1. `get` answers null for a row that is not there, and for a key that no row can have.
 * 2. `range` answers the rows of one partition with `from` <= key < `before`, in key order, `limit` at most.
 * 3. `commit` does all operations, at most 100 on as many different rows of one partition, or none. Conflict: an
 *    insert found a row, or a replace another etag or none. Removing a row that is gone does nothing. More rows, one
 *    row twice, a key or an amount of data that no row can have: StorageRefused.
 * 4. What `commit` acknowledged every later read shows.
 * 5. `prepare` makes the table when it is missing. Until then reads find nothing and `commit` fails with
 *    StorageRefused.
 */
export interface Table {
  prepare(): Promise<void>;
  get(partition: string, key: string): Promise<StoredRow | null>;
  range(partition: string, from: string, before: string, limit: number): Promise<StoredRow[]>;
  commit(partition: string, operations: readonly RowOperation[]): Promise<void>;
}

/**
 * A table that can be walked by whoever knows nothing of what is in it.
 * 1. `partitionAfter` names the first partition behind one, in the order of their names; the first of all without one;
 *    null when there is none. A partition without rows is none.
 * 2. `rowsAfter` answers the rows of a partition behind a key, in key order, `limit` of them unless there are no more.
 * 3. A table that is not there has neither.
 */
export interface WalkedTable extends Table {
  partitionAfter(partition: string | null): Promise<string | null>;
  rowsAfter(partition: string, key: string | null, limit: number): Promise<StoredRow[]>;
}
