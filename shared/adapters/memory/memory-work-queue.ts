import type { WorkItem, WorkQueue } from '../../ports/work-queue.ts';

/** A queue in memory that keeps what was sent until somebody takes it. */
export class MemoryWorkQueue implements WorkQueue {
  #waiting: WorkItem[] = [];
  #operations: string[] = [];
  #announcements = 0;

  async prepare(): Promise<void> {}

  async send(item: WorkItem): Promise<void> {
    this.#waiting.push(item);
  }

  async sendOperation(operationId: string): Promise<void> {
    this.#operations.push(operationId);
  }

  async announceLists(): Promise<void> {
    this.#announcements += 1;
  }

  async depth(): Promise<{ waiting: number; poison: number }> {
    return { waiting: this.#waiting.length + this.#operations.length + this.#announcements, poison: 0 };
  }

  /** Takes the requests to look at the revocation lists. @returns how many there were */
  takeAnnouncements(): number {
    const announcements = this.#announcements;
    this.#announcements = 0;
    return announcements;
  }

  /** Takes the operations that wait. */
  takeOperations(): string[] {
    const operations = this.#operations;
    this.#operations = [];
    return operations;
  }

  /** Takes every renewal that waits: for tests and the simulator, which do the host's part. */
  takeAll(): WorkItem[] {
    const items = this.#waiting;
    this.#waiting = [];
    return items;
  }
}
