import type { ContainerClient } from '@azure/storage-blob';
import type { CrlFiles } from '../../ports/crl-files.ts';
import { codeOf, statusOf, storageError } from './errors.ts';

export const CRL_CONTAINER = 'crl';

/** Wide enough that names sort as numbers do. */
const DIGITS = 12;
/** Lists that are kept in memory: the last ones of a few authorities are all that anybody asks for. */
const REMEMBERED = 4;

/** Lists as blobs `<authority>/<number>.crl`, written once (If-None-Match: *). */
export class BlobCrlFiles implements CrlFiles {
  readonly #container: ContainerClient;
  /** By blob name, the one that was asked for last at the end. */
  readonly #remembered = new Map<string, Uint8Array>();

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

  async put(authorityId: string, number: number, der: Uint8Array): Promise<'written' | 'exists'> {
    const blob = this.#container.getBlockBlobClient(nameOf(authorityId, number));
    try {
      await blob.upload(der, der.length, {
        conditions: { ifNoneMatch: '*' },
        blobHTTPHeaders: { blobContentType: 'application/pkix-crl' },
      });
      return 'written';
    } catch (error) {
      if (['BlobAlreadyExists', 'ConditionNotMet'].includes(codeOf(error) ?? '')) return 'exists';
      if (codeOf(error) !== 'ContainerNotFound') throw storageError(error, `Cannot write "${blob.name}"`);
    }
    // A deployment that began before there were lists has no container yet.
    await this.prepare();
    return this.put(authorityId, number, der);
  }

  async get(authorityId: string, number: number): Promise<Uint8Array | null> {
    const name = nameOf(authorityId, number);
    const der = this.#remembered.get(name) ?? (await this.#read(name));
    if (der === null) return null;
    this.#remembered.delete(name);
    this.#remembered.set(name, der);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    return der;
  }

  async numbers(authorityId: string): Promise<readonly number[]> {
    const prefix = `${authorityId}/`;
    const found: number[] = [];
    try {
      for await (const { name } of this.#container.listBlobsFlat({ prefix })) {
        const [, digits] = /^(\d+)\.crl$/.exec(name.slice(prefix.length)) ?? [];
        if (digits !== undefined) found.push(Number(digits));
      }
      return found;
    } catch (error) {
      if (statusOf(error) === 404) return [];
      throw storageError(error, `Cannot list the revocation lists of "${authorityId}"`);
    }
  }

  async remove(authorityId: string, number: number): Promise<void> {
    const name = nameOf(authorityId, number);
    this.#remembered.delete(name);
    try {
      await this.#container.getBlobClient(name).deleteIfExists();
    } catch (error) {
      if (statusOf(error) !== 404) throw storageError(error, `Cannot remove "${name}"`);
    }
  }

  async #read(name: string): Promise<Uint8Array | null> {
    try {
      return await this.#container.getBlobClient(name).downloadToBuffer();
    } catch (error) {
      if (statusOf(error) === 404) return null;
      throw storageError(error, `Cannot read "${name}"`);
    }
  }
}

function nameOf(authorityId: string, number: number): string {
  return `${authorityId}/${String(number).padStart(DIGITS, '0')}.crl`;
}
