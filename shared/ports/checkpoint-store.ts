/**
 * Checkpoints of the audit chains, where nothing can be changed any more.
 * 1. `put` writes a checkpoint once. `exists` says that there is one of that chain and number: it stays as it is.
 * 2. `get` answers it, or null.
 * 3. `list` gives the numbers of a chain's checkpoints, ascending.
 * Errors as IdentityStore.
 */
export interface CheckpointStore {
  put(chain: string, seq: number, jws: string): Promise<'written' | 'exists'>;
  get(chain: string, seq: number): Promise<string | null>;
  list(chain: string): Promise<readonly number[]>;
}
