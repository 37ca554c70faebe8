import type { ContainerClient } from '@azure/storage-blob';
import { codeOf, statusOf, storageError } from './errors.ts';
import { isAlreadyThere } from './write-once.ts';

/**
 * The client of a container, always the same. Its library is the largest of all; it is loaded when the first blob is asked for,
 * which no login does.
 */
export type OpenContainer = () => Promise<ContainerClient>;

/** Wide enough that names sort as numbers do. */
const DIGITS = 12;

/** What the blobs of a container are. */
export interface BlobKind {
  /** Of the names, without the dot. */
  readonly extension: string;
  readonly contentType: string;
}

/** Blobs `<folder>/<number>.<extension>` of one container, each written once (If-None-Match: *). */
export class NumberedBlobs {
  readonly #open: OpenContainer;
  readonly #kind: BlobKind;

  constructor(open: OpenContainer, kind: BlobKind) {
    this.#open = open;
    this.#kind = kind;
  }

  prepare(): Promise<void> {
    return prepareContainer(this.#open);
  }

  async put(folder: string, number: number, content: Uint8Array): Promise<'written' | 'exists'> {
    const blob = (await this.#open()).getBlockBlobClient(this.nameOf(folder, number));
    try {
      await blob.upload(content, content.length, {
        conditions: { ifNoneMatch: '*' },
        blobHTTPHeaders: { blobContentType: this.#kind.contentType },
      });
      return 'written';
    } catch (error) {
      if (isAlreadyThere(error)) return 'exists';
      if (codeOf(error) !== 'ContainerNotFound') throw storageError(error, `Cannot write "${blob.name}"`);
    }
    // A deployment that is older than what it keeps here has no container yet.
    await this.prepare();
    return this.put(folder, number, content);
  }

  async get(folder: string, number: number): Promise<Buffer | null> {
    const name = this.nameOf(folder, number);
    const container = await this.#open();
    try {
      return await container.getBlobClient(name).downloadToBuffer();
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw storageError(error, `Cannot read "${name}"`);
    }
  }

  /** In ascending order. */
  async numbers(folder: string): Promise<readonly number[]> {
    const prefix = `${folder}/`;
    const form = new RegExp(`^(\\d+)\\.${this.#kind.extension}$`);
    const found: number[] = [];
    const container = await this.#open();
    try {
      for await (const { name } of container.listBlobsFlat({ prefix })) {
        const [, digits] = form.exec(name.slice(prefix.length)) ?? [];
        if (digits !== undefined) found.push(Number(digits));
      }
      return found;
    } catch (error) {
      if (statusOf(error) === 404) return [];
      throw storageError(error, `Cannot list "${prefix}" in "${container.containerName}"`);
    }
  }

  async remove(folder: string, number: number): Promise<void> {
    const name = this.nameOf(folder, number);
    const container = await this.#open();
    try {
      await container.getBlobClient(name).deleteIfExists();
    } catch (error) {
      if (statusOf(error) !== 404) throw storageError(error, `Cannot remove "${name}"`);
    }
  }

  nameOf(folder: string, number: number): string {
    return `${folder}/${String(number).padStart(DIGITS, '0')}.${this.#kind.extension}`;
  }
}

/** Makes a container that is not there yet. */
export async function prepareContainer(open: OpenContainer): Promise<void> {
  const container = await open();
  try {
    await container.createIfNotExists();
  } catch (error) {
    throw storageError(error, `Cannot make the container "${container.containerName}"`);
  }
}
