import { z } from 'zod';
import { isEverleafError } from '../../domain/errors.ts';
import { toMinute } from '../../domain/instants.ts';
import type { Counters } from '../../ports/counters.ts';
import { rowCodec } from './row-codec.ts';
import type { Table } from './table.ts';

/** Partitions by a name's first digit: enough that no single one bounds the app, few enough to clear each of them. */
const PARTITIONS = '0123456789abcdef'.split('');
/** Tries of an addition: whoever loses all of them shares the row with many others, and one more or less is nothing. */
const TRIES = 5;
/** Rows of one transaction, the most that Table storage takes. */
const BATCH = 100;

const codec = rowCodec('counter', z.object({ count: z.int() }));

/** Counts as rows `<yyyyMMddHHmm>|<name>`: those of old windows come first in each partition, and are removed as a range. */
export class TableCounters implements Counters {
  readonly #table: Table;

  constructor(table: Table) {
    this.#table = table;
  }

  async add(name: string, windowStart: Date, by = 1): Promise<number> {
    const key = keyOf(name, windowStart);
    for (let attempt = 1; ; attempt++) {
      const found = await this.#table.get(partitionOf(name), key);
      const count = (found === null ? 0 : codec.decode(found).count) + by;
      const row = { key, ...codec.encode({ count }) };
      try {
        await this.#table.commit(partitionOf(name), [
          found === null ? { op: 'insert', ...row } : { op: 'replace', ...row, etag: found.etag },
        ]);
        return count;
      } catch (error) {
        if (!isEverleafError(error, 'Conflict') || attempt === TRIES) throw error;
      }
    }
  }

  async count(name: string, windowStart: Date): Promise<number> {
    const found = await this.#table.get(partitionOf(name), keyOf(name, windowStart));
    return found === null ? 0 : codec.decode(found).count;
  }

  async removeBefore(windowStart: Date): Promise<number> {
    let removed = 0;
    for (const partition of PARTITIONS) {
      for (;;) {
        const rows = await this.#table.range(partition, '0', toMinute(windowStart), BATCH);
        await this.#table.commit(
          partition,
          rows.map(({ key }) => ({ op: 'remove', key })),
        );
        removed += rows.length;
        if (rows.length < BATCH) break;
      }
    }
    return removed;
  }
}

function partitionOf(name: string): string {
  return name.slice(0, 1);
}

function keyOf(name: string, windowStart: Date): string {
  return `${toMinute(windowStart)}|${name}`;
}
