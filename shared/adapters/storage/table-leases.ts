import { z } from 'zod';
import { toHex } from '../../domain/encoding.ts';
import { isEverleafError } from '../../domain/errors.ts';
import { addMs, SECOND_MS } from '../../domain/instants.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Lease, Leases } from '../../ports/lease.ts';
import type { Random } from '../../ports/random.ts';
import { instant, rowCodec } from './row-codec.ts';
import type { Table } from './table.ts';

const PARTITION = 'fleet';
const codec = rowCodec('lease', z.object({ holder: z.string(), until: instant }));

/**
 * Leases as rows: whoever writes the row holds the lease until the moment that stands in it. Two machines whose clocks
 * differ may both believe that they hold one, which costs work and nothing else.
 */
export class TableLeases implements Leases {
  readonly #table: Table;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(table: Table, clock: Clock, random: Random) {
    this.#table = table;
    this.#clock = clock;
    this.#random = random;
  }

  async acquire(name: string, seconds: number): Promise<Lease | null> {
    const key = `lease|${name}`;
    const now = this.#clock.now();
    const found = await this.#table.get(PARTITION, key);
    if (found !== null && codec.decode(found).until > now) return null;
    const holder = toHex(this.#random.bytes(8));
    const row = { key, ...codec.encode({ holder, until: addMs(now, seconds * SECOND_MS) }) };
    try {
      await this.#table.commit(PARTITION, [
        found === null ? { op: 'insert', ...row } : { op: 'replace', ...row, etag: found.etag },
      ]);
    } catch (error) {
      if (isEverleafError(error, 'Conflict')) return null;
      throw error;
    }
    return { release: () => this.#release(key, holder) };
  }

  async #release(key: string, holder: string): Promise<void> {
    const found = await this.#table.get(PARTITION, key);
    if (found === null || codec.decode(found).holder !== holder) return;
    const ended = codec.encode({ holder, until: this.#clock.now() });
    try {
      await this.#table.commit(PARTITION, [{ op: 'replace', key, ...ended, etag: found.etag }]);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
    }
  }
}
