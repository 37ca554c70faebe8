import type { CheckpointStore } from '../../ports/checkpoint-store.ts';
import { NumberedBlobs, type OpenContainer } from './numbered-blobs.ts';

export const CHECKPOINT_CONTAINER = 'audit-checkpoints';

/**
 * Checkpoints as blobs `<chain>/<number>.jws`, written once. That they cannot be overwritten or deleted afterwards is for
 * the container's immutability policy to see to
 * (https://learn.microsoft.com/azure/storage/blobs/immutable-storage-overview).
 */
export class BlobCheckpointStore implements CheckpointStore {
  readonly #blobs: NumberedBlobs;

  constructor(open: OpenContainer) {
    this.#blobs = new NumberedBlobs(open, { extension: 'jws', contentType: 'application/jose' });
  }

  prepare(): Promise<void> {
    return this.#blobs.prepare();
  }

  put(chain: string, seq: number, jws: string): Promise<'written' | 'exists'> {
    return this.#blobs.put(chain, seq, new TextEncoder().encode(jws));
  }

  async get(chain: string, seq: number): Promise<string | null> {
    return (await this.#blobs.get(chain, seq))?.toString('utf8') ?? null;
  }

  list(chain: string): Promise<readonly number[]> {
    return this.#blobs.numbers(chain);
  }
}
