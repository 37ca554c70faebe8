import type { QueueClient } from '@azure/storage-queue';
import type { StorageSetup } from '../../ports/storage-setup.ts';
import { prepareQueue } from './prepare-queue.ts';

/** The queue that Event Grid delivers the vaults' events to, and the one of what the host gives up on. */
export const VAULT_EVENT_QUEUE = 'vault-events';
export const VAULT_EVENT_POISON_QUEUE = `${VAULT_EVENT_QUEUE}-poison`;

/**
 * Both queues of the vaults' events. Everleaf only takes from them, and the host does that. Both are made, because an
 * alert that watches a queue which is not there watches nothing.
 */
export class VaultEventQueue implements StorageSetup {
  readonly #queues: readonly QueueClient[];

  constructor(...queues: readonly QueueClient[]) {
    this.#queues = queues;
  }

  async prepare(): Promise<void> {
    for (const queue of this.#queues) await prepareQueue(queue);
  }
}
