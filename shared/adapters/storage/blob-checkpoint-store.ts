import type { ContainerClient } from '@azure/storage-blob';
import type { CheckpointStore } from '../../ports/checkpoint-store.ts';
import { codeOf, statusOf, storageError } from './errors.ts';
import { isAlreadyThere } from './write-once.ts';

export const CHECKPOINT_CONTAINER = 'audit-checkpoints';

/** Wide enough that names sort as numbers do. */
const DIGITS = 12;

/**
 * Checkpoints as blobs `<chain>/<number>.jws`, written once (If-None-Match: *). That they cannot be overwritten or deleted
 * afterwards is for the container's immutability policy to see to
 * (https://learn.microsoft.com/azure/storage/blobs/immutable-storage-overview).
 */
export class BlobCheckpointStore implements CheckpointStore {
  readonly #container: ContainerClient;

  constructor(container: ContainerClient) {
    this.#container = container;
  }

  async prepare(): Promise<void> {
    try {
      await this.#container.createIfNotExists();
    } catch (error) {
      throw storageError(error, `Cannot make the container "${this.#container.containerName}"`);
    }
  }

  async put(chain: string, seq: number, jws: string): Promise<'written' | 'exists'> {
    const blob = this.#container.getBlockBlobClient(nameOf(chain, seq));
    try {
      await blob.upload(jws, Buffer.byteLength(jws), {
        conditions: { ifNoneMatch: '*' },
        blobHTTPHeaders: { blobContentType: 'application/jose' },
      });
      return 'written';
    } catch (error) {
      if (isAlreadyThere(error)) return 'exists';
      if (codeOf(error) !== 'ContainerNotFound') throw storageError(error, `Cannot write "${blob.name}"`);
    }
    // A deployment that began before there were checkpoints has no container yet.
    await this.prepare();
    return this.put(chain, seq, jws);
  }

  async get(chain: string, seq: number): Promise<string | null> {
    const blob = this.#container.getBlockBlobClient(nameOf(chain, seq));
    try {
      return (await blob.downloadToBuffer()).toString('utf8');
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw storageError(error, `Cannot read "${blob.name}"`);
    }
  }

  async list(chain: string): Promise<readonly number[]> {
    const prefix = `${chain}/`;
    const found: number[] = [];
    try {
      for await (const { name } of this.#container.listBlobsFlat({ prefix })) {
        const [, digits] = /^(\d+)\.jws$/.exec(name.slice(prefix.length)) ?? [];
        if (digits !== undefined) found.push(Number(digits));
      }
      return found;
    } catch (error) {
      if (statusOf(error) === 404) return [];
      throw storageError(error, `Cannot list the checkpoints of "${chain}"`);
    }
  }
}

function nameOf(chain: string, seq: number): string {
  return `${chain}/${String(seq).padStart(DIGITS, '0')}.jws`;
}
