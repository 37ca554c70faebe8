import type { Page } from '../../ports/identity-store.ts';
import type { StoredRow, Table } from './table.ts';

/** The first key behind every key that begins with what stands before the bar. */
export const AFTER_BAR = '}';

/** The partition of the record that a shard's rows are in. */
export function partitionName(shard: number): string {
  return String(shard).padStart(2, '0');
}

/** Where a walk is, and how many rows it gives at once. A cursor is `<shard>:<last key>`. */
export interface WalkPosition {
  readonly cursor?: string;
  readonly limit: number;
}

/**
 * Rows whose keys begin with a prefix and a bar, of all shards, one after the other, or of one.
 * @param decode what a page gives of its rows, which may be less of them
 */
export async function walkRows<T>(
  table: Table,
  prefix: string,
  decode: (rows: readonly StoredRow[]) => readonly T[],
  { cursor, limit }: WalkPosition,
  shards: { readonly from: number; readonly to: number },
): Promise<Page<T>> {
  const [startShard = '', startKey = ''] = cursor?.split(/:(.*)/s) ?? [];
  const first = shards.from === shards.to ? shards.from : Number(startShard);
  const items: T[] = [];
  let read = 0;
  for (let shard = first; shard <= shards.to; shard++) {
    // `!` sorts before every character that a name may go on with.
    const from = shard === first && startKey !== '' ? `${startKey}!` : `${prefix}|`;
    const wanted = limit - read;
    const rows = await table.range(partitionName(shard), from, prefix + AFTER_BAR, wanted);
    items.push(...decode(rows));
    read += rows.length;
    const lastKey = rows.at(-1)?.key;
    if (rows.length >= wanted && lastKey !== undefined) return { items, nextCursor: `${shard}:${lastKey}` };
  }
  return { items, nextCursor: null };
}
