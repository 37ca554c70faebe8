import { type DequeuedMessageItem, QueueClient, RestError } from '@azure/storage-queue';
import { messageOf } from '../core/core-errors.ts';
import type { TriggerInput } from '../core/invocation.ts';
import { Sleeper } from '../sleeper.ts';
import { PROCESSING_VISIBILITY_S, QueueMessage, type QueueMessageOptions } from './queue-message.ts';
import { toTriggerMetadata } from './trigger-data.ts';

export interface QueueListenerOptions extends Omit<QueueMessageOptions, 'queue' | 'poisonQueue'> {
  readonly connectionString: string;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

// The real host begins at this pause after an empty answer and doubles it up to maxPollingInterval.
const SHORTEST_PAUSE_MS = 100;
// While too much is in work; the end of a message ends the pause.
const LONGEST_PAUSE_MS = 60_000;

/**
 * Polls one queue, after QueueListener.cs in azure-sdk-for-net: batches of `batchSize`, the next one
 * fetched when no more than `newBatchThreshold` messages are being worked on, longer and longer pauses while the queue is
 * empty. A queue that does not exist is created.
 */
export class QueueListener {
  readonly #options: QueueListenerOptions;
  readonly #queue: QueueClient;
  readonly #poisonQueue: QueueClient | undefined;
  readonly #sleeper = new Sleeper();
  readonly #abort = new AbortController();
  readonly #inFlight = new Map<QueueMessage, Promise<void>>();
  #settleWaiters: Waiter[] = [];
  /** While set, nothing is received; resolves when polling may go on. */
  #pause: Promise<void> | undefined;
  #polling: Promise<unknown> = Promise.resolve();
  #loop: Promise<void> | undefined;

  constructor(options: QueueListenerOptions) {
    this.#options = options;
    const { connectionString, queueName } = options;
    this.#queue = new QueueClient(connectionString, queueName);
    if (!queueName.endsWith('-poison')) {
      this.#poisonQueue = new QueueClient(connectionString, `${queueName}-poison`);
    }
  }

  /** @throws when the storage does not answer or refuses the queue's name */
  async start(): Promise<void> {
    await this.#queue.createIfNotExists();
    this.#loop = this.#runLoop();
  }

  /**
   * Tells that virtual time has jumped: messages may have become visible, those in work here as well, which other hosts
   * on the queue must not get.
   */
  clockChanged(): void {
    if (this.#pause === undefined) for (const message of this.#inFlight.keys()) void message.renew();
    this.#sleeper.wake();
  }

  /** See Settleable: a receive that began after this call, with nothing in work, has to come back empty. */
  settled(): Promise<void> {
    if (this.#abort.signal.aborted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#settleWaiters.push({ resolve, reject });
      this.#sleeper.wake();
    });
  }

  /**
   * Moves the clock without losing hold of the messages in work: receives nothing meanwhile and afterwards makes
   * them invisible anew before anyone here can receive them a second time.
   */
  async holdDuring(move: () => Promise<void>): Promise<void> {
    let resume = () => {};
    this.#pause = new Promise((resolve) => {
      resume = resolve;
    });
    try {
      await this.#polling;
      await move();
      await Promise.all([...this.#inFlight.keys()].map((message) => message.renew()));
    } finally {
      this.#pause = undefined;
      resume();
      this.#sleeper.wake();
    }
  }

  /** Receives nothing more; what is in work goes on and is waited for by {@link drained}. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#sleeper.wake();
    await this.#loop;
    for (const waiter of this.#settleWaiters.splice(0)) waiter.resolve();
  }

  /** Resolves when the messages in work are done with. */
  async drained(): Promise<void> {
    await Promise.all(this.#inFlight.values());
  }

  /** What a run by hand hands to the function in the place of a message. */
  manualInput(text: string): TriggerInput {
    return {
      binding: this.#options.target.binding,
      data: { string: text },
      metadata: toTriggerMetadata(text),
    };
  }

  async #runLoop(): Promise<void> {
    const { settings } = this.#options;
    let pauseMs = SHORTEST_PAUSE_MS;
    while (!this.#abort.signal.aborted) {
      if (this.#pause !== undefined) await this.#pause;
      else if (this.#inFlight.size > settings.newBatchThreshold) await this.#sleeper.sleep(LONGEST_PAUSE_MS);
      else {
        // From the check of #pause to here nothing is awaited, so a pause always sees the poll under way.
        const poll = this.#poll();
        this.#polling = poll;
        if (await poll) pauseMs = SHORTEST_PAUSE_MS;
        else {
          await this.#sleeper.sleep(pauseMs);
          pauseMs = Math.min(pauseMs * 2, settings.maxPollingIntervalMs);
        }
      }
    }
  }

  /**
   * Receives once and sets to work on what came; true when something did. An error is logged, told to those who
   * wait, and counts as an empty answer: the next poll may find a cure.
   */
  async #poll(): Promise<boolean> {
    const wasIdle = this.#inFlight.size === 0;
    const waiters = this.#settleWaiters.splice(0);
    try {
      const messages = await this.#receive();
      for (const message of messages) this.#work(message);
      if (wasIdle && messages.length === 0) for (const waiter of waiters) waiter.resolve();
      else this.#settleWaiters.push(...waiters);
      return messages.length > 0;
    } catch (error) {
      if (this.#abort.signal.aborted) {
        this.#settleWaiters.push(...waiters);
        return false;
      }
      const { target, queueName, log } = this.#options;
      log.function('warning', target.name, `Queue '${queueName}' could not be read: ${messageOf(error)}`);
      for (const waiter of waiters) waiter.reject(error);
      return false;
    }
  }

  async #receive(): Promise<DequeuedMessageItem[]> {
    const receive = () =>
      this.#queue.receiveMessages({
        numberOfMessages: this.#options.settings.batchSize,
        visibilityTimeout: PROCESSING_VISIBILITY_S,
        abortSignal: this.#abort.signal,
      });
    try {
      return (await receive()).receivedMessageItems;
    } catch (error) {
      if (!(error instanceof RestError) || error.code !== 'QueueNotFound') throw error;
      await this.#queue.createIfNotExists();
      return (await receive()).receivedMessageItems;
    }
  }

  #work(item: DequeuedMessageItem): void {
    const options = { ...this.#options, queue: this.#queue, poisonQueue: this.#poisonQueue };
    const message = new QueueMessage(options, item);
    const done = message.process().then(() => {
      this.#inFlight.delete(message);
      // There may be room for the next batch, and someone who settles wants the queue asked again.
      const hasRoom = this.#inFlight.size === this.#options.settings.newBatchThreshold;
      if (hasRoom || this.#settleWaiters.length > 0) this.#sleeper.wake();
    });
    this.#inFlight.set(message, done);
  }
}
