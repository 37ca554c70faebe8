import { EverleafError } from '../../domain/errors.ts';
import { assertStorable, isRowKey } from '../storage/row-limits.ts';
import type { RowOperation, StoredRow, WalkedTable } from '../storage/table.ts';
import { OrderedKeys } from './ordered-keys.ts';

const MOST_OPERATIONS = 100;
/** Longer than every key with its prefix. */
const MOST_BOUND = 600;
/** Behind every key: those of the record are ASCII. */
const BEHIND_ALL = '\uffff';

interface Partition {
  readonly rows: Map<string, StoredRow>;
  readonly keys: OrderedKeys;
}

/** A table in memory, with the promises of Table storage: for unit tests and the simulator. */
export class MemoryTable implements WalkedTable {
  readonly #partitions = new Map<string, Partition>();
  #writes = 0;
  #isThere = false;
  #rowsExamined = 0;

  /** Rows that the reads so far have looked at, whether they answered them or not: what a read costs. */
  get rowsExamined(): number {
    return this.#rowsExamined;
  }

  async prepare(): Promise<void> {
    this.#isThere = true;
  }

  /** Holds what another table holds, and forgets what it held itself. For tests. */
  copyFrom(other: MemoryTable): void {
    this.#isThere = other.#isThere;
    this.#writes = other.#writes;
    this.#partitions.clear();
    for (const [name, { rows, keys }] of other.#partitions) {
      this.#partitions.set(name, { rows: new Map(rows), keys: keys.copy() });
    }
  }

  async get(partition: string, key: string): Promise<StoredRow | null> {
    if (!isRowKey(key)) return null;
    const row = this.#partitions.get(partition)?.rows.get(key) ?? null;
    if (row !== null) this.#rowsExamined += 1;
    return row;
  }

  async range(partition: string, from: string, before: string, limit: number): Promise<StoredRow[]> {
    // The service takes bounds in the URL, which has an end.
    if (from.length > MOST_BOUND || before.length > MOST_BOUND) {
      throw new EverleafError('StorageRefused', 'Cannot read rows: a bound is longer than any key.');
    }
    const held = this.#partitions.get(partition);
    // Most of the record's 32 partitions are empty in most tests, and every scan asks them all.
    if (held === undefined) return [];
    const found: StoredRow[] = [];
    for (const key of held.keys.between(from, before)) {
      if (found.length >= limit) break;
      this.#rowsExamined += 1;
      const row = held.rows.get(key);
      if (row !== undefined) found.push(row);
    }
    return found;
  }

  async rowsAfter(partition: string, key: string | null, limit: number): Promise<StoredRow[]> {
    return this.range(partition, key === null ? '' : `${key}\u0000`, BEHIND_ALL, limit);
  }

  async partitionAfter(partition: string | null): Promise<string | null> {
    const names = [...this.#partitions].filter(([, { rows }]) => rows.size > 0).map(([name]) => name);
    return names.sort().find((name) => partition === null || name > partition) ?? null;
  }

  async commit(partition: string, operations: readonly RowOperation[]): Promise<void> {
    if (operations.length === 0) return;
    if (!this.#isThere) {
      throw new EverleafError('StorageRefused', 'Cannot write: there is no such table. Prepare it first.');
    }
    if (
      operations.length > MOST_OPERATIONS ||
      new Set(operations.map(({ key }) => key)).size < operations.length
    ) {
      throw new EverleafError(
        'StorageRefused',
        'A transaction takes at most 100 operations, one for each row.',
      );
    }
    assertStorable(operations);
    const { rows, keys } = this.#partitions.get(partition) ?? { rows: new Map(), keys: new OrderedKeys() };
    for (const operation of operations) assertPossible(rows.get(operation.key), operation);
    for (const operation of operations) {
      if (operation.op === 'remove') {
        if (rows.delete(operation.key)) keys.remove(operation.key);
      } else {
        const { key, v, data } = operation;
        this.#writes += 1;
        if (!rows.has(key)) keys.add(key);
        rows.set(key, { partition, key, v, data, etag: String(this.#writes) });
      }
    }
    this.#partitions.set(partition, { rows, keys });
  }
}

function assertPossible(row: StoredRow | undefined, operation: RowOperation): void {
  const isBlocked =
    (operation.op === 'insert' && row !== undefined) ||
    (operation.op === 'replace' && row?.etag !== operation.etag);
  if (isBlocked) throw new EverleafError('Conflict', 'Cannot write: somebody else changed it in between.');
}
