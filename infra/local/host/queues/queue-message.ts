import { type DequeuedMessageItem, type QueueClient, RestError } from '@azure/storage-queue';
import { messageOf } from '../core/core-errors.ts';
import type { RunFunction } from '../function-runner.ts';
import type { HostLog } from '../log.ts';
import type { QueueSettings } from '../settings/host-json.ts';
import type { QueueFunction } from '../triggers.ts';
import { decodeMessage, toTriggerMetadata } from './trigger-data.ts';

export interface QueueMessageOptions {
  readonly target: QueueFunction;
  readonly queueName: string;
  readonly queue: QueueClient;
  /** Absent for a queue that is itself a poison queue. */
  readonly poisonQueue: QueueClient | undefined;
  readonly settings: QueueSettings;
  readonly run: RunFunction;
  readonly log: HostLog;
}

/** How long a received message stays invisible to others; the real host's number (QueueListener.cs). */
export const PROCESSING_VISIBILITY_S = 600;

/**
 * One received message on its way through the function, after QueueProcessor.cs in azure-sdk-for-net (namespace
 * Microsoft.Azure.WebJobs.Extensions.Storage.Queues): deleted when the function succeeded, made visible again
 * after host.json's visibilityTimeout when it failed, moved to `<queue>-poison` when it failed for the last time.
 */
export class QueueMessage {
  readonly #options: QueueMessageOptions;
  readonly #message: DequeuedMessageItem;
  #popReceipt: string;
  #renewal: Promise<void> = Promise.resolve();

  constructor(options: QueueMessageOptions, message: DequeuedMessageItem) {
    this.#options = options;
    this.#message = message;
    this.#popReceipt = message.popReceipt;
  }

  /** Works on the message to the end; never rejects: what cannot be written is logged, and the message comes again. */
  async process(): Promise<void> {
    const { settings, target, log } = this.#options;
    const renewer = setInterval(() => void this.renew(), (PROCESSING_VISIBILITY_S * 1000) / 2);
    renewer.unref();
    try {
      const text = decodeMessage(this.#message.messageText, settings.messageEncoding);
      const isSpent = this.#message.dequeueCount > settings.maxDequeueCount;
      if (text === undefined) {
        const why = `is not base64, as host.json's extensions.queues.messageEncoding says it should be`;
        await this.#poison(why);
      } else if (isSpent) await this.#poison(`was dequeued more than ${settings.maxDequeueCount} times`);
      else await this.#complete(await this.#runFunction(text));
    } catch (error) {
      const id = this.#message.messageId;
      log.function('error', target.name, `Message ${id} could not be completed: ${messageOf(error)}`);
    } finally {
      clearInterval(renewer);
    }
  }

  /** Keeps the message invisible for a full span from now on. Not an error when it is gone or someone else's. */
  renew(): Promise<void> {
    this.#renewal = this.#renewal.then(async () => {
      try {
        await this.#setVisibility(PROCESSING_VISIBILITY_S);
      } catch (error) {
        const { target, log } = this.#options;
        const id = this.#message.messageId;
        log.function(
          'warning',
          target.name,
          `Message ${id} could not be kept invisible: ${messageOf(error)}`,
        );
      }
    });
    return this.#renewal;
  }

  async #runFunction(text: string): Promise<boolean> {
    const { target, queueName, run } = this.#options;
    const outcome = await run(
      target,
      { binding: target.binding, data: { string: text }, metadata: toTriggerMetadata(text, this.#message) },
      `New queue message detected on '${queueName}'.`,
      'background',
    );
    return outcome.succeeded;
  }

  async #complete(hasSucceeded: boolean): Promise<void> {
    const { settings, poisonQueue } = this.#options;
    if (hasSucceeded) await this.#delete();
    else if (poisonQueue === undefined) return;
    else if (this.#message.dequeueCount >= settings.maxDequeueCount) {
      await this.#poison(`failed ${this.#message.dequeueCount} times`);
    } else {
      await this.#renewal;
      await this.#setVisibility(Math.ceil(settings.visibilityTimeoutMs / 1000));
    }
  }

  /** The text goes over as it stands, encoding included, and without an end of its life. */
  async #poison(why: string): Promise<void> {
    const { poisonQueue, target, log } = this.#options;
    if (poisonQueue === undefined) return;
    const id = this.#message.messageId;
    log.function(
      'warning',
      target.name,
      `Message ${id} ${why}; it is moved to the queue '${poisonQueue.name}'.`,
    );
    const send = () => poisonQueue.sendMessage(this.#message.messageText, { messageTimeToLive: -1 });
    try {
      await send();
    } catch (error) {
      if (!(error instanceof RestError) || error.statusCode !== 404) throw error;
      await poisonQueue.createIfNotExists();
      await send();
    }
    await this.#delete();
  }

  async #delete(): Promise<void> {
    await this.#renewal;
    await this.#options.queue.deleteMessage(this.#message.messageId, this.#popReceipt);
  }

  async #setVisibility(seconds: number): Promise<void> {
    const { queue } = this.#options;
    const answer = await queue.updateMessage(this.#message.messageId, this.#popReceipt, undefined, seconds);
    this.#popReceipt = answer.popReceipt ?? this.#popReceipt;
  }
}
