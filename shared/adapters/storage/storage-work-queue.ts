import type { QueueClient } from '@azure/storage-queue';
import type { ListsMessage, OperationMessage, WorkItem, WorkQueue } from '../../ports/work-queue.ts';
import { statusOf, storageError } from './errors.ts';
import { prepareQueue } from './prepare-queue.ts';

/** The queue that the work function is triggered by, and the one that the host puts hopeless messages into. */
export const WORK_QUEUE = 'credential-work';
export const POISON_QUEUE = `${WORK_QUEUE}-poison`;

/**
 * How long a message waits at most. An hour after it was sent its credential comes up again by itself, so a backlog
 * need not hold many messages for one credential.
 */
const LIFE_SECONDS = 2 * 60 * 60;

/** The work queue in Azure Queue storage, through the unmodified client. */
export class StorageWorkQueue implements WorkQueue {
  readonly #queue: QueueClient;
  readonly #poison: QueueClient;

  constructor(queue: QueueClient, poison: QueueClient) {
    this.#queue = queue;
    this.#poison = poison;
  }

  prepare(): Promise<void> {
    return prepareQueue(this.#queue);
  }

  send(item: WorkItem): Promise<void> {
    return this.#send(item);
  }

  sendOperation(operationId: string): Promise<void> {
    return this.#send({ v: 1, type: 'operation', operationId });
  }

  announceLists(): Promise<void> {
    return this.#send({ v: 1, type: 'publish-crl' });
  }

  async #send(message: WorkItem | OperationMessage | ListsMessage): Promise<void> {
    // host.json says that messages are base64; the client sends text as it is.
    const text = Buffer.from(JSON.stringify(message)).toString('base64');
    try {
      await this.#queue.sendMessage(text, { messageTimeToLive: LIFE_SECONDS });
    } catch (error) {
      throw storageError(error, `Cannot send to the queue "${this.#queue.name}"`);
    }
  }

  async depth(): Promise<{ waiting: number; poison: number }> {
    const [waiting, poison] = await Promise.all([count(this.#queue), count(this.#poison)]);
    return { waiting, poison };
  }
}

async function count(queue: QueueClient): Promise<number> {
  try {
    return (await queue.getProperties()).approximateMessagesCount ?? 0;
  } catch (error) {
    // The host makes the poison queue when it needs it first.
    if (statusOf(error) === 404) return 0;
    throw storageError(error, `Cannot count the messages of "${queue.name}"`);
  }
}
