import { EverleafError } from '../../domain/errors.ts';
import type { RowOperation, StoredRow, Table } from '../storage/table.ts';

const MOST_OPERATIONS = 100;

/** A table in memory, with the promises of Table storage: for unit tests and the simulator. */
export class MemoryTable implements Table {
  readonly #partitions = new Map<string, Map<string, StoredRow>>();
  #writes = 0;
  #isThere = false;

  async prepare(): Promise<void> {
    this.#isThere = true;
  }

  async get(partition: string, key: string): Promise<StoredRow | null> {
    return this.#partitions.get(partition)?.get(key) ?? null;
  }

  async range(partition: string, from: string, before: string, limit: number): Promise<StoredRow[]> {
    const rows = [...(this.#partitions.get(partition)?.values() ?? [])];
    return rows
      .filter(({ key }) => key >= from && key < before)
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .slice(0, limit);
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
    const rows = this.#partitions.get(partition) ?? new Map<string, StoredRow>();
    for (const operation of operations) assertPossible(rows.get(operation.key), operation);
    for (const operation of operations) {
      if (operation.op === 'remove') rows.delete(operation.key);
      else {
        const { key, v, data } = operation;
        this.#writes += 1;
        rows.set(key, { partition, key, v, data, etag: String(this.#writes) });
      }
    }
    this.#partitions.set(partition, rows);
  }
}

function assertPossible(row: StoredRow | undefined, operation: RowOperation): void {
  const isBlocked =
    (operation.op === 'insert' && row !== undefined) ||
    (operation.op === 'replace' && row?.etag !== operation.etag);
  if (isBlocked) throw new EverleafError('Conflict', 'Cannot write: somebody else changed it in between.');
}
