/**
 * Revocation lists as they are served, DER.
 * 1. `put` writes the list of an authority and a number once. `exists` says that there is one: it stays as it is.
 * 2. `get` answers it, or null. A list never changes, so it may come from a memory of lists that were read before.
 * 3. `numbers` gives the numbers of an authority's lists, ascending.
 * 4. `remove` removes a list; one that is gone already too.
 * Errors as IdentityStore.
 */
export interface CrlFiles {
  put(authorityId: string, number: number, der: Uint8Array): Promise<'written' | 'exists'>;
  get(authorityId: string, number: number): Promise<Uint8Array | null>;
  numbers(authorityId: string): Promise<readonly number[]>;
  remove(authorityId: string, number: number): Promise<void>;
}
