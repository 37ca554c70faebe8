import type { CrlFiles } from '../../ports/crl-files.ts';

/** Revocation lists in memory, with the promises of the port. */
export class MemoryCrlFiles implements CrlFiles {
  readonly #lists = new Map<string, Map<number, Uint8Array>>();

  async prepare(): Promise<void> {}

  async put(authorityId: string, number: number, der: Uint8Array): Promise<'written' | 'exists'> {
    const known = this.#lists.get(authorityId) ?? new Map<number, Uint8Array>();
    if (known.has(number)) return 'exists';
    this.#lists.set(authorityId, known.set(number, der));
    return 'written';
  }

  async get(authorityId: string, number: number): Promise<Uint8Array | null> {
    return this.#lists.get(authorityId)?.get(number) ?? null;
  }

  async numbers(authorityId: string): Promise<readonly number[]> {
    return [...(this.#lists.get(authorityId)?.keys() ?? [])].sort((a, b) => a - b);
  }

  async remove(authorityId: string, number: number): Promise<void> {
    this.#lists.get(authorityId)?.delete(number);
  }
}
