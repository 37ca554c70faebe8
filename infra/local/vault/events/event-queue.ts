import { QueueClient } from '@azure/storage-queue';
import type { EventQueueConfig } from '../config.ts';
import type { VaultEvent } from './event.ts';

// A vault does not wait longer for its events than this: what is not taken waits here for the next try.
const TRY_MS = 2_000;

/**
 * Delivers events to a storage queue as a subscription of Event Grid does: one event a message, its JSON in Base64, at
 * least once, and again and again until the queue takes it. What waits is in memory: a kill loses it.
 */
export class EventQueue {
  readonly #queue: QueueClient;
  #waiting: VaultEvent[] = [];
  #sending: Promise<void> = Promise.resolve();
  #isPrepared = false;

  constructor({ connectionString, queueName }: EventQueueConfig) {
    const retryOptions = { maxTries: 1, tryTimeoutInMs: TRY_MS };
    this.#queue = new QueueClient(connectionString, queueName, { retryOptions });
  }

  /** Tries once to deliver these and all that wait, in their order. Never throws. */
  deliver(events: readonly VaultEvent[]): Promise<void> {
    this.#waiting.push(...events);
    this.#sending = this.#sending.then(() => this.#send());
    return this.#sending;
  }

  async #send(): Promise<void> {
    if (this.#waiting.length === 0) return;
    try {
      // A subscription cannot be made without its queue; here whoever comes first makes it.
      if (!this.#isPrepared) await this.#queue.createIfNotExists();
      this.#isPrepared = true;
      for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
        await this.#queue.sendMessage(Buffer.from(JSON.stringify(next)).toString('base64'));
        this.#waiting.shift();
      }
    } catch (error) {
      console.error(`${this.#waiting.length} events of the vaults wait for their queue: ${String(error)}`);
    }
  }
}
