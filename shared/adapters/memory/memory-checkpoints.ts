import type { CheckpointStore } from '../../ports/checkpoint-store.ts';

/** Checkpoints in memory, with the promises of the port. */
export class MemoryCheckpoints implements CheckpointStore {
  readonly #chains = new Map<string, Map<number, string>>();

  async prepare(): Promise<void> {}

  async put(chain: string, seq: number, jws: string): Promise<'written' | 'exists'> {
    const known = this.#chains.get(chain) ?? new Map<number, string>();
    if (known.has(seq)) return 'exists';
    this.#chains.set(chain, known.set(seq, jws));
    return 'written';
  }

  async get(chain: string, seq: number): Promise<string | null> {
    return this.#chains.get(chain)?.get(seq) ?? null;
  }

  async list(chain: string): Promise<readonly number[]> {
    return [...(this.#chains.get(chain)?.keys() ?? [])].sort((a, b) => a - b);
  }
}
