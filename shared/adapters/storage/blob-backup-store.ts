import { EverleafError } from '../../domain/errors.ts';
import type { BackupStore } from '../../ports/backup-store.ts';
import { storageError } from './errors.ts';
import { type OpenContainer, prepareContainer } from './numbered-blobs.ts';
import { isAlreadyThere } from './write-once.ts';

export const BACKUP_CONTAINER = 'backups';

/** Of one block: 50,000 of them, the most that a blob has, make 200 GB. */
const BLOCK_BYTES = 4 * 1024 * 1024;

/**
 * Backups as block blobs, committed once (If-None-Match: *). Blocks that were never committed are no blob, and the service
 * removes them after a week (https://learn.microsoft.com/rest/api/storageservices/put-block). That a blob cannot be
 * overwritten or deleted afterwards is for the container's immutability policy to see to.
 */
export class BlobBackupStore implements BackupStore {
  readonly #open: OpenContainer;

  constructor(open: OpenContainer) {
    this.#open = open;
  }

  prepare(): Promise<void> {
    return prepareContainer(this.#open);
  }

  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    // A deployment that began before there were backups has no container yet, and content cannot be asked for twice.
    await this.prepare();
    const blob = (await this.#open()).getBlockBlobClient(name);
    const ids: string[] = [];
    try {
      for await (const block of blocks(content)) {
        const id = Buffer.from(String(ids.length).padStart(6, '0')).toString('base64');
        await blob.stageBlock(id, block, block.length);
        ids.push(id);
      }
      await blob.commitBlockList(ids, {
        conditions: { ifNoneMatch: '*' },
        blobHTTPHeaders: { blobContentType: 'application/octet-stream' },
      });
    } catch (error) {
      if (isAlreadyThere(error)) {
        throw new EverleafError('AlreadyExists', `There is a backup "${name}" already.`, { cause: error });
      }
      throw isOfStorage(error) ? storageError(error, `Cannot write "${name}"`) : error;
    }
  }
}

/** What the content throws passes as it is. */
function isOfStorage(error: unknown): boolean {
  return error instanceof Error && error.name === 'RestError';
}

async function* blocks(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of content) {
    pieces.push(piece);
    length += piece.length;
    if (length < BLOCK_BYTES) continue;
    yield Buffer.concat(pieces);
    pieces = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(pieces);
}
