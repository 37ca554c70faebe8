import type { ContainerClient } from '@azure/storage-blob';
import { codeOf, statusOf, storageError } from './errors.ts';
import { isAlreadyThere } from './write-once.ts';

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
  readonly #container: ContainerClient;
  readonly #kind: BlobKind;

  constructor(container: ContainerClient, kind: BlobKind) {
    this.#container = container;
    this.#kind = kind;
  }

  prepare(): Promise<void> {
    return prepareContainer(this.#container);
  }

  async put(folder: string, number: number, content: Uint8Array): Promise<'written' | 'exists'> {
    const blob = this.#container.getBlockBlobClient(this.nameOf(folder, number));
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
    try {
      return await this.#container.getBlobClient(name).downloadToBuffer();
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
    try {
      for await (const { name } of this.#container.listBlobsFlat({ prefix })) {
        const [, digits] = form.exec(name.slice(prefix.length)) ?? [];
        if (digits !== undefined) found.push(Number(digits));
      }
      return found;
    } catch (error) {
      if (statusOf(error) === 404) return [];
      throw storageError(error, `Cannot list "${prefix}" in "${this.#container.containerName}"`);
    }
  }

  async remove(folder: string, number: number): Promise<void> {
    const name = this.nameOf(folder, number);
    try {
      await this.#container.getBlobClient(name).deleteIfExists();
    } catch (error) {
      if (statusOf(error) !== 404) throw storageError(error, `Cannot remove "${name}"`);
    }
  }

  nameOf(folder: string, number: number): string {
    return `${folder}/${String(number).padStart(DIGITS, '0')}.${this.#kind.extension}`;
  }
}

/** Makes a container that is not there yet. */
export async function prepareContainer(container: ContainerClient): Promise<void> {
  try {
    await container.createIfNotExists();
  } catch (error) {
    throw storageError(error, `Cannot make the container "${container.containerName}"`);
  }
}
