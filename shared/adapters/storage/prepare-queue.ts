import type { QueueClient } from '@azure/storage-queue';
import { storageError } from './errors.ts';

/** Makes a queue that is not there yet. */
export async function prepareQueue(queue: QueueClient): Promise<void> {
  try {
    await queue.createIfNotExists();
  } catch (error) {
    throw storageError(error, `Cannot make the queue "${queue.name}"`);
  }
}
