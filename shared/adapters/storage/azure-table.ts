import { odata, type TableClient, type TransactionAction } from '@azure/data-tables';
import { codeOf, statusOf, storageError } from './errors.ts';
import { assertStorable, isRowKey } from './row-limits.ts';
import type { RowOperation, StoredRow, WalkedTable } from './table.ts';

/** Most entities that the service answers in one page. */
const PAGE = 1000;

interface Entity {
  readonly v: number;
  readonly data: string;
}

/** A table in Azure Table storage, through the unmodified client. */
export class AzureTable implements WalkedTable {
  readonly #client: TableClient;

  constructor(client: TableClient) {
    this.#client = client;
  }

  async prepare(): Promise<void> {
    try {
      await this.#client.createTable();
    } catch (error) {
      if (codeOf(error) !== 'TableAlreadyExists') {
        throw storageError(error, `Cannot make the table "${this.#client.tableName}"`);
      }
    }
  }

  async get(partition: string, key: string): Promise<StoredRow | null> {
    if (!isRowKey(key)) return null;
    try {
      const { etag, v, data } = await this.#client.getEntity<Entity>(partition, key);
      return { partition, key, v, data, etag };
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw storageError(error, `Cannot read a row of "${this.#client.tableName}"`);
    }
  }

  async range(partition: string, from: string, before: string, limit: number): Promise<StoredRow[]> {
    const filter = odata`PartitionKey eq ${partition} and RowKey ge ${from} and RowKey lt ${before}`;
    return this.#read(partition, filter, limit);
  }

  async rowsAfter(partition: string, key: string | null, limit: number): Promise<StoredRow[]> {
    const behind = key === null ? '' : odata` and RowKey gt ${key}`;
    return this.#read(partition, odata`PartitionKey eq ${partition}` + behind, limit);
  }

  async partitionAfter(partition: string | null): Promise<string | null> {
    const queryOptions = partition === null ? {} : { filter: odata`PartitionKey gt ${partition}` };
    try {
      // Pages may come empty, with a continuation: one look is as many pages as it takes.
      for await (const page of this.#client.listEntities({ queryOptions }).byPage({ maxPageSize: 1 })) {
        for (const { partitionKey } of page) if (partitionKey !== undefined) return partitionKey;
      }
      return null;
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw storageError(error, `Cannot list the partitions of "${this.#client.tableName}"`);
    }
  }

  async #read(partition: string, filter: string, limit: number): Promise<StoredRow[]> {
    const rows: StoredRow[] = [];
    try {
      const pages = this.#client
        .listEntities<Entity>({ queryOptions: { filter } })
        .byPage({ maxPageSize: Math.min(PAGE, limit) });
      for await (const page of pages) {
        for (const { partitionKey, rowKey, etag, v, data } of page) {
          rows.push({ partition: partitionKey ?? partition, key: rowKey ?? '', v, data, etag });
          if (rows.length >= limit) return rows;
        }
      }
      return rows;
    } catch (error) {
      if (statusOf(error) === 404) return [];
      throw storageError(error, `Cannot read rows of "${this.#client.tableName}"`);
    }
  }

  async commit(partition: string, operations: readonly RowOperation[]): Promise<void> {
    if (operations.length === 0) return;
    assertStorable(operations);
    try {
      await this.#client.submitTransaction(operations.map((operation) => action(partition, operation)));
    } catch (error) {
      if (codeOf(error) === 'TableNotFound') {
        throw storageError(error, `Cannot write to "${this.#client.tableName}"`);
      }
      const remaining =
        statusOf(error) === 404 ? await this.#withoutVanished(partition, operations) : operations;
      if (remaining.length < operations.length) return this.commit(partition, remaining);
      if (statusOf(error) === 404) {
        throw storageError({ statusCode: 412 }, `Cannot write to "${this.#client.tableName}"`);
      }
      throw storageError(error, `Cannot write to "${this.#client.tableName}"`);
    }
  }

  /** The service fails a whole transaction for a removal of a row that is gone: those are left out then. */
  async #withoutVanished(partition: string, operations: readonly RowOperation[]): Promise<RowOperation[]> {
    const isThere = await Promise.all(
      operations.map(async ({ op, key }) => op !== 'remove' || (await this.get(partition, key)) !== null),
    );
    return operations.filter((_, i) => isThere[i]);
  }
}

function action(partitionKey: string, operation: RowOperation): TransactionAction {
  const { key: rowKey } = operation;
  switch (operation.op) {
    case 'insert':
      return ['create', { partitionKey, rowKey, v: operation.v, data: operation.data }];
    case 'put':
      return ['upsert', { partitionKey, rowKey, v: operation.v, data: operation.data }, 'Replace'];
    case 'replace':
      return [
        'update',
        { partitionKey, rowKey, v: operation.v, data: operation.data },
        'Replace',
        { etag: operation.etag },
      ];
    case 'remove':
      return ['delete', { partitionKey, rowKey }];
  }
}
