import type { CrlFiles } from '../../ports/crl-files.ts';
import { NumberedBlobs, type OpenContainer } from './numbered-blobs.ts';

export const CRL_CONTAINER = 'crl';

/** Lists that are kept in memory: the last ones of a few authorities are all that anybody asks for. */
const REMEMBERED = 4;

/** Lists as blobs `<authority>/<number>.crl`, written once. */
export class BlobCrlFiles implements CrlFiles {
  readonly #blobs: NumberedBlobs;
  /** By blob name, the one that was asked for last at the end. */
  readonly #remembered = new Map<string, Uint8Array>();

  constructor(open: OpenContainer) {
    this.#blobs = new NumberedBlobs(open, { extension: 'crl', contentType: 'application/pkix-crl' });
  }

  prepare(): Promise<void> {
    return this.#blobs.prepare();
  }

  put(authorityId: string, number: number, der: Uint8Array): Promise<'written' | 'exists'> {
    return this.#blobs.put(authorityId, number, der);
  }

  async get(authorityId: string, number: number): Promise<Uint8Array | null> {
    const name = this.#blobs.nameOf(authorityId, number);
    const der = this.#remembered.get(name) ?? (await this.#blobs.get(authorityId, number));
    if (der === null) return null;
    this.#remembered.delete(name);
    this.#remembered.set(name, der);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
    return der;
  }

  numbers(authorityId: string): Promise<readonly number[]> {
    return this.#blobs.numbers(authorityId);
  }

  remove(authorityId: string, number: number): Promise<void> {
    this.#remembered.delete(this.#blobs.nameOf(authorityId, number));
    return this.#blobs.remove(authorityId, number);
  }
}
