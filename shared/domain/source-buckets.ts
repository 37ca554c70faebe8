/** What one instance of the app knows of a source in one window. */
interface Bucket {
  windowStart: number;
  /** Failures in this window, of every instance as far as this one knows. */
  failures: number;
  /** Calls that were turned away in this window because the source is blocked. */
  turnedAway: number;
}

/** Sources that are remembered at once: some hundred bytes each. */
const MOST_SOURCES = 10_000;

/**
 * An instance's own memory of who failed, so that a source that is blocked costs neither a read nor a write. Bounded:
 * the source that was looked at first goes first, and what it did is still in the shared count.
 */
export class SourceBuckets {
  readonly #buckets = new Map<string, Bucket>();
  readonly #most: number;

  constructor(most = MOST_SOURCES) {
    this.#most = most;
  }

  /** Sources that are remembered now. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Failures of a source in a window as far as they are known here; null when nothing is, and the store knows more. */
  failures(source: string, windowStart: Date): number | null {
    const bucket = this.#buckets.get(source);
    return bucket?.windowStart === windowStart.getTime() ? bucket.failures : null;
  }

  /** Takes over what the store says, unless more is known here already. */
  learn(source: string, windowStart: Date, failures: number): void {
    const bucket = this.#bucket(source, windowStart);
    bucket.failures = Math.max(bucket.failures, failures);
  }

  /** Counts one failure. @returns the failures in this window, this one included */
  countFailure(source: string, windowStart: Date): number {
    const bucket = this.#bucket(source, windowStart);
    bucket.failures += 1;
    return bucket.failures;
  }

  /**
   * Counts one call that was turned away.
   * @returns how many are to be written down now, together with all that were before: the first, then as many as there
   *   are already, each time that doubles them; 0 in between. So what is written grows with the logarithm of the calls,
   *   and is never less than half of them.
   */
  countTurnedAway(source: string, windowStart: Date): number {
    const bucket = this.#bucket(source, windowStart);
    bucket.turnedAway += 1;
    const { turnedAway } = bucket;
    if (!Number.isInteger(Math.log2(turnedAway))) return 0;
    return Math.ceil(turnedAway / 2);
  }

  #bucket(source: string, windowStart: Date): Bucket {
    const known = this.#buckets.get(source);
    if (known?.windowStart === windowStart.getTime()) return known;
    const bucket = { windowStart: windowStart.getTime(), failures: 0, turnedAway: 0 };
    this.#buckets.delete(source);
    const oldest = this.#buckets.keys().next();
    if (this.#buckets.size >= this.#most && !oldest.done) this.#buckets.delete(oldest.value);
    this.#buckets.set(source, bucket);
    return bucket;
  }
}
