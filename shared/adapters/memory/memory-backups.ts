import { EverleafError } from '../../domain/errors.ts';
import type { BackupStore } from '../../ports/backup-store.ts';

/** Backups in memory, with the promises of the port. */
export class MemoryBackups implements BackupStore {
  readonly #backups = new Map<string, Uint8Array>();

  async prepare(): Promise<void> {}

  async write(name: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    if (this.#backups.has(name)) {
      throw new EverleafError('AlreadyExists', `There is a backup "${name}" already.`);
    }
    this.#backups.set(name, Uint8Array.from(Buffer.concat(pieces)));
  }

  /** For tests. */
  names(): readonly string[] {
    return [...this.#backups.keys()];
  }

  /** For tests. */
  content(name: string): Uint8Array | null {
    return this.#backups.get(name) ?? null;
  }
}
