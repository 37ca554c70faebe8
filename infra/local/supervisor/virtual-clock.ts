/**
 * The environment's place in time. The offset is on disk before anybody is told, so that no start after this one can
 * be earlier than what some process has already seen.
 */
import { readClockFile } from '../clock/clock-file.ts';
import { setOffset } from '../clock/shifted-date.ts';
import { writePrivateFile } from './files.ts';

/** RFC 5280 4.1.2.5: no certificate can be dated beyond the year 9999. */
const END_OF_TIME_MS = Date.UTC(9999, 11, 31);

export class VirtualClock {
  readonly #path: string;
  #offsetMs: number;
  #moves: Promise<unknown> = Promise.resolve();

  /**
   * @param path the file of the offset; without one the clock begins at the machine's time
   * @throws Error when the file holds something else
   */
  constructor(path: string) {
    this.#path = path;
    this.#offsetMs = readClockFile(path) ?? 0;
  }

  /** Milliseconds that virtual time is ahead of the machine's. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /**
   * Moves time forward: on disk, in this process, then wherever `tell` takes it. One move at a time.
   * @param ms whole milliseconds, 0 or more
   * @returns the new offset
   * @throws RangeError for anything else, and beyond the year 9999
   */
  advance(ms: number, tell: (offsetMs: number) => Promise<void>): Promise<number> {
    const move = this.#moves.then(async () => {
      if (!Number.isSafeInteger(ms) || ms < 0) {
        throw new RangeError(`Time moves by whole milliseconds, 0 or more; not by ${ms}.`);
      }
      if (Date.now() + ms > END_OF_TIME_MS) throw new RangeError('The calendar ends with the year 9999.');
      const offsetMs = this.#offsetMs + ms;
      writePrivateFile(this.#path, `${JSON.stringify({ offsetMs })}\n`);
      this.#offsetMs = offsetMs;
      setOffset(offsetMs);
      await tell(offsetMs);
      return offsetMs;
    });
    this.#moves = move.catch(() => undefined);
    return move;
  }
}
