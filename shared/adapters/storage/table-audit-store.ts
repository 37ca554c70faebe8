import type { ChainHead, SealedEvent } from '../../domain/audit-chain.ts';
import { EverleafError } from '../../domain/errors.ts';
import { shardOf } from '../../domain/sharding.ts';
import {
  APPEND_LIMIT,
  type AuditSigningKey,
  type AuditStore,
  type ChainAppend,
  type NumberedEntry,
  type TimelineEntry,
  type WaitingEvent,
} from '../../ports/audit-store.ts';
import type { Page, Stored } from '../../ports/identity-store.ts';
import { auditCodecs } from './audit-rows.ts';
import { recordCodecs } from './record-rows.ts';
import { decodeKnown, type RowCodec } from './row-codec.ts';
import type { RowOperation, StoredRow, Table } from './table.ts';

/** The first key behind every key that begins with what stands before the bar. */
const AFTER_BAR = '}';
/** Sorts before every character that a key goes on with: what follows a key and everything that begins with it. */
const JUST_BEHIND = '!';
const SEQ_DIGITS = 12;
const FLEET_PARTITION = 'fleet';
const SIGNING_KEY = 'audit-signing';
const EVERYTHING = Number.POSITIVE_INFINITY;

const keys = {
  /** As TableIdentityStore writes them. */
  waiting: (position: string) => `o|${position}`,
  entry: (chain: string, seq: number) => `e|${chain}|${String(seq).padStart(SEQ_DIGITS, '0')}`,
  head: (chain: string) => `h|${chain}`,
  pointer: ({ position, event }: SealedEvent) =>
    `x|${position}|${event.chain}|${String(event.seq).padStart(SEQ_DIGITS, '0')}`,
};

/**
 * The audit log in the record's table: waiting events (`o|`), entries (`e|`) and heads (`h|`) of chains, and where the
 * entries stand in the order of time (`x|`), all in the partition of the chain's cluster.
 */
export class TableAuditStore implements AuditStore {
  readonly partitions: number;
  readonly #table: Table;

  constructor(table: Table, shards: number) {
    this.#table = table;
    this.partitions = shards;
  }

  async waiting(
    partition: number,
    { before, cursor, limit }: { before: Date; cursor?: string; limit: number },
  ): Promise<Page<WaitingEvent>> {
    const from = cursor === undefined ? keys.waiting('') : keys.waiting(cursor) + JUST_BEHIND;
    const rows = await this.#table.range(
      partitionName(partition),
      from,
      keys.waiting(before.toISOString()),
      limit,
    );
    return { items: decodeWaiting(rows), nextCursor: cursorOf(rows, limit) };
  }

  async chainWaiting(chain: string, after: string | null, limit: number): Promise<Page<WaitingEvent>> {
    const from = after === null ? keys.waiting('') : keys.waiting(after) + JUST_BEHIND;
    const rows = await this.#table.range(this.#partitionOf(chain), from, `o${AFTER_BAR}`, limit);
    const items = decodeWaiting(rows).filter((waiting) => waiting.chain === chain);
    return { items, nextCursor: cursorOf(rows, limit) };
  }

  async append({ head, etag, entries }: ChainAppend): Promise<void> {
    if (entries.length > APPEND_LIMIT) {
      throw new EverleafError(
        'Internal',
        `Cannot append ${entries.length} entries at once: at most ${APPEND_LIMIT}.`,
      );
    }
    const row = { key: keys.head(head.chain), ...auditCodecs.head.encode(head) };
    // The head guards the whole: of two that append to it, one has it changed under its feet.
    const operations: RowOperation[] = [
      etag === null ? { op: 'insert', ...row } : { op: 'replace', ...row, etag },
    ];
    for (const entry of entries) {
      const { chain, seq, type } = entry.event;
      operations.push(
        { op: 'insert', key: keys.entry(chain, seq), ...auditCodecs.sealed.encode(entry) },
        { op: 'insert', key: keys.pointer(entry), ...auditCodecs.pointer.encode({ chain, seq, type }) },
        { op: 'remove', key: keys.waiting(entry.position) },
      );
    }
    await this.#table.commit(this.#partitionOf(head.chain), operations);
  }

  head(chain: string): Promise<Stored<ChainHead> | null> {
    return this.#read(this.#partitionOf(chain), keys.head(chain), auditCodecs.head);
  }

  async heads(partition: number): Promise<readonly Stored<ChainHead>[]> {
    const rows = await this.#table.range(partitionName(partition), 'h|', `h${AFTER_BAR}`, EVERYTHING);
    return rows.flatMap((row) =>
      decodeKnown([row], auditCodecs.head).map((value) => ({ value, etag: row.etag })),
    );
  }

  async replaceHead(head: ChainHead, etag: string): Promise<void> {
    const row = { key: keys.head(head.chain), ...auditCodecs.head.encode(head) };
    await this.#table.commit(this.#partitionOf(head.chain), [{ op: 'replace', ...row, etag }]);
  }

  async entries(chain: string, after: number, limit: number): Promise<readonly NumberedEntry[]> {
    const from = keys.entry(chain, after + 1);
    const rows = await this.#table.range(this.#partitionOf(chain), from, `e|${chain}${AFTER_BAR}`, limit);
    return rows.flatMap((row) =>
      decodeKnown([row], auditCodecs.sealed).map((entry) => ({
        seq: Number(row.key.slice(-SEQ_DIGITS)),
        entry,
      })),
    );
  }

  async timeline(
    partition: number,
    { after, before, limit }: { after: string; before: string | null; limit: number },
  ): Promise<Page<TimelineEntry>> {
    const range = (kind: string) =>
      this.#table.range(
        partitionName(partition),
        `${kind}|${after}${JUST_BEHIND}`,
        before === null ? kind + AFTER_BAR : `${kind}|${before}`,
        limit,
      );
    // In this order: an event that is sealed in between shows in both, and one of them is left out.
    const waitingRows = await range('o');
    const sealedRows = await range('x');
    const sealed = sealedRows.flatMap(pointerEntry);
    const positions = new Set(sealed.map(({ position }) => position));
    const waiting = decodeWaiting(waitingRows)
      .filter(({ position }) => !positions.has(position))
      .map(
        ({ position, chain, event }): TimelineEntry => ({
          // Behind every entry that a sealed event of this position may get.
          cursor: position + AFTER_BAR,
          position,
          chain,
          type: event.type,
          at: { event },
        }),
      );
    // Behind the end of a list that was cut short there may be more, which must not be jumped over.
    const lastWaiting = cursorOf(waitingRows, limit);
    const ends = [lastWaiting === null ? null : lastWaiting + AFTER_BAR, cursorOf(sealedRows, limit)];
    const horizon = ends.filter((end) => end !== null).sort()[0] ?? null;
    const items = [...sealed, ...waiting]
      .filter(({ cursor }) => horizon === null || cursor <= horizon)
      .sort((a, b) => (a.cursor < b.cursor ? -1 : 1));
    return { items, nextCursor: horizon };
  }

  signingKey(): Promise<Stored<AuditSigningKey> | null> {
    return this.#read(FLEET_PARTITION, SIGNING_KEY, auditCodecs.signingKey);
  }

  async putSigningKey(key: AuditSigningKey, etag: string | null): Promise<void> {
    const row = { key: SIGNING_KEY, ...auditCodecs.signingKey.encode(key) };
    await this.#table.commit(FLEET_PARTITION, [
      etag === null ? { op: 'insert', ...row } : { op: 'replace', ...row, etag },
    ]);
  }

  #partitionOf(chain: string): string {
    return partitionName(shardOf(chain, this.partitions));
  }

  async #read<T>(partition: string, key: string, codec: RowCodec<T>): Promise<Stored<T> | null> {
    const row = await this.#table.get(partition, key);
    return row === null ? null : { value: codec.decode(row), etag: row.etag };
  }
}

function decodeWaiting(rows: readonly StoredRow[]): WaitingEvent[] {
  return rows.flatMap((row) =>
    decodeKnown([row], recordCodecs.event).map(({ identity, ...event }) => ({
      chain: identity.cluster,
      position: row.key.slice('o|'.length),
      event,
    })),
  );
}

/** @param row `x|<time>|<id>|<chain>|<seq>` */
function pointerEntry(row: StoredRow): TimelineEntry[] {
  return decodeKnown([row], auditCodecs.pointer).map(({ chain, seq, type }) => {
    const cursor = row.key.slice('x|'.length);
    return { cursor, position: cursor.split('|').slice(0, 2).join('|'), chain, type, at: { seq } };
  });
}

/** Where a list goes on that was cut short: behind its last row, without the row's kind. */
function cursorOf(rows: readonly StoredRow[], limit: number): string | null {
  return rows.length < limit ? null : (rows.at(-1)?.key.slice('o|'.length) ?? null);
}

function partitionName(shard: number): string {
  return String(shard).padStart(2, '0');
}
