import type { WorkItem, WorkQueue } from '../../ports/work-queue.ts';

/** A queue in memory that keeps what was sent until somebody takes it. */
export class MemoryWorkQueue implements WorkQueue {
  #waiting: WorkItem[] = [];

  async prepare(): Promise<void> {}

  async send(item: WorkItem): Promise<void> {
    this.#waiting.push(item);
  }

  async depth(): Promise<{ waiting: number; poison: number }> {
    return { waiting: this.#waiting.length, poison: 0 };
  }

  /** Takes everything that waits: for tests and the simulator, which do the host's part. */
  takeAll(): WorkItem[] {
    const items = this.#waiting;
    this.#waiting = [];
    return items;
  }
}
