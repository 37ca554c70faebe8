/** Where an invocation came from. Only background ones can go on giving each other work. */
export type Origin = 'request' | 'background';

/** Knows which invocations are running, so that a settle and a shutdown can wait for them. */
export class Activity {
  readonly #running = new Map<Promise<unknown>, Origin>();
  #backgroundStarted = 0;

  /** Counts `work` as running until it ends, however it ends; returns it. */
  track<Result>(origin: Origin, work: Promise<Result>): Promise<Result> {
    if (origin === 'background') this.#backgroundStarted += 1;
    const ended: Promise<boolean> = work.then(
      () => this.#running.delete(ended),
      () => this.#running.delete(ended),
    );
    this.#running.set(ended, origin);
    return work;
  }

  /** How many background invocations were ever accepted; grows with each. */
  get backgroundStarted(): number {
    return this.#backgroundStarted;
  }

  get backgroundRunning(): number {
    return [...this.#running.values()].filter((origin) => origin === 'background').length;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Waits for the invocations that run now, not for later ones. */
  async currentOnes(): Promise<void> {
    await Promise.all(this.#running.keys());
  }
}
