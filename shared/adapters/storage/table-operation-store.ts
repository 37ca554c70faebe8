import { z } from 'zod';
import { FLEET_CHAIN } from '../../domain/audit.ts';
import { EverleafError, isEverleafError } from '../../domain/errors.ts';
import {
  OPERATION_KINDS,
  OPERATION_TASKS,
  type Operation,
  type OperationItem,
} from '../../domain/operation.ts';
import type { EventChange, Stored } from '../../ports/identity-store.ts';
import type { KeyedRequest, OperationStore } from '../../ports/operation-store.ts';
import { decodeKnown, instant, rowCodec } from './row-codec.ts';
import type { RowOperation, Table } from './table.ts';
import { rowOperation } from './table-identity-store.ts';
import { partitionName } from './walk-rows.ts';

const v = z.literal(1);

const operation: z.ZodType<Operation> = z.object({
  v,
  id: z.string(),
  kind: z.enum(OPERATION_KINDS),
  cluster: z.string(),
  credentials: z.array(z.enum(['cloud', 'kubelet'])),
  force: z.boolean(),
  requestedBy: z.string(),
  requestedAt: instant,
  finishedAt: instant.nullable(),
});

const item: z.ZodType<OperationItem> = z.object({
  // Of an operation about all clusters.
  cluster: z.string().optional(),
  name: z.string(),
  credential: z.enum(['certificate', 'token']),
  incarnation: z.int(),
  generation: z.int(),
  task: z.enum(OPERATION_TASKS),
  reason: z.string().nullable(),
});

const request: z.ZodType<KeyedRequest> = z.object({
  v,
  keyHash: z.string(),
  method: z.string(),
  path: z.string(),
  bodyHash: z.string(),
  operationId: z.string(),
  createdAt: instant,
});

const codecs = {
  operation: rowCodec('operation', operation),
  items: rowCodec('operation items', z.array(item)),
  open: rowCodec('open operation', z.object({ id: z.string() })),
  request: rowCodec('keyed request', request),
};

/**
 * Items of one row. A property holds 32 Ki characters (Microsoft Learn, "Understanding the Table service data model"),
 * and an item with the longest names has fewer than 300.
 */
const CHUNK = 100;
/** Rows of one transaction, as the service limits them. */
const MOST_ROWS = 100;
const EVERYTHING = Number.POSITIVE_INFINITY;
const ID = /^[0-9a-f]{32}$/;
/** Keyed requests lie together, so that what is old is found by one range read. */
const REQUESTS = 'requests';

const keys = {
  operation: (id: string) => `p|${id}`,
  items: (id: string, chunk: number) => `pi|${id}|${String(chunk).padStart(4, '0')}`,
  open: (id: string) => `po|${id}`,
};

/** Operations in the record's table: a transaction with an event reaches no further than the cluster's partition. */
export class TableOperationStore implements OperationStore {
  readonly #table: Table;
  readonly #shards: number;

  constructor(record: Table, shards: number) {
    this.#table = record;
    this.#shards = shards;
  }

  async insert(value: Operation, items: readonly OperationItem[], event: EventChange): Promise<void> {
    const chunks: Extract<RowOperation, { op: 'insert' | 'put' }>[] = [];
    for (let start = 0; start < items.length; start += CHUNK) {
      const key = keys.items(value.id, chunks.length);
      chunks.push({ op: 'insert' as const, key, ...codecs.items.encode(items.slice(start, start + CHUNK)) });
    }
    const open: RowOperation[] =
      value.finishedAt === null
        ? [{ op: 'insert', key: keys.open(value.id), ...codecs.open.encode({ id: value.id }) }]
        : [];
    const others: RowOperation[] = [
      { op: 'insert', key: keys.operation(value.id), ...codecs.operation.encode(value) },
      ...open,
      rowOperation(event),
    ];
    const room = MOST_ROWS - others.length;
    if (chunks.length > room && value.cluster !== FLEET_CHAIN) {
      throw new EverleafError(
        'InvalidInput',
        `Cluster "${value.cluster}" has ${items.length} credentials, more than one operation holds. Name one group of ` +
          'credentials at a time.',
      );
    }
    // A whole fleet's may be more than one transaction holds. Nobody reads items whose operation is not there yet.
    for (let start = room; start < chunks.length; start += MOST_ROWS) {
      const ahead = chunks.slice(start, start + MOST_ROWS).map((row) => ({ ...row, op: 'put' as const }));
      await this.#table.commit(this.#partitionOf(value.id), ahead);
    }
    const rows = [...others, ...chunks.slice(0, room)];
    try {
      await this.#table.commit(this.#partitionOf(value.id), rows);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      throw new EverleafError('AlreadyExists', `There is an operation ${value.id} already.`, {
        cause: error,
      });
    }
  }

  async operation(id: string): Promise<Stored<Operation> | null> {
    if (!ID.test(id)) return null;
    const row = await this.#table.get(this.#partitionOf(id), keys.operation(id));
    return row === null ? null : { value: codecs.operation.decode(row), etag: row.etag };
  }

  async items(id: string): Promise<readonly OperationItem[]> {
    if (!ID.test(id)) return [];
    const rows = await this.#table.range(this.#partitionOf(id), `pi|${id}|`, `pi|${id}}`, EVERYTHING);
    return rows.flatMap((row) => codecs.items.decode(row));
  }

  async finish(value: Operation, etag: string, event: EventChange): Promise<void> {
    await this.#table.commit(this.#partitionOf(value.id), [
      { op: 'replace', key: keys.operation(value.id), ...codecs.operation.encode(value), etag },
      { op: 'remove', key: keys.open(value.id) },
      rowOperation(event),
    ]);
  }

  async open(): Promise<readonly string[]> {
    const shards = Array.from({ length: this.#shards }, (_, shard) => partitionName(shard));
    const ranges = await Promise.all(
      shards.map((partition) => this.#table.range(partition, 'po|', 'po}', EVERYTHING)),
    );
    return decodeKnown(ranges.flat(), codecs.open).map(({ id }) => id);
  }

  async claimRequest(value: KeyedRequest): Promise<KeyedRequest> {
    try {
      const row = { key: value.keyHash, ...codecs.request.encode(value) };
      await this.#table.commit(REQUESTS, [{ op: 'insert', ...row }]);
      return value;
    } catch (error) {
      const row = isEverleafError(error, 'Conflict') ? await this.#table.get(REQUESTS, value.keyHash) : null;
      if (row === null) throw error;
      return codecs.request.decode(row);
    }
  }

  async forgetRequests(before: Date): Promise<number> {
    const rows = await this.#table.range(REQUESTS, '0', 'g', EVERYTHING);
    const old = decodeKnown(rows, codecs.request).filter(({ createdAt }) => createdAt < before);
    for (let start = 0; start < old.length; start += MOST_ROWS) {
      const gone = old.slice(start, start + MOST_ROWS);
      await this.#table.commit(
        REQUESTS,
        gone.map(({ keyHash }) => ({ op: 'remove', key: keyHash })),
      );
    }
    return old.length;
  }

  #partitionOf(id: string): string {
    return partitionName(Number.parseInt(id.slice(0, 2), 16) % this.#shards);
  }
}
