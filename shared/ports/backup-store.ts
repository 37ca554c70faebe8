/**
 * Where backups lie, written once.
 * 1. `write` makes a backup of that name out of all that `content` gives, at its end and whole; memory does not grow
 *    with its length. When `content` or the storage fails, there is none, and what `content` has thrown is thrown.
 * 2. AlreadyExists for a name that is taken: it stays as it is.
 * Errors as IdentityStore.
 */
export interface BackupStore {
  write(name: string, content: AsyncIterable<Uint8Array>): Promise<void>;
}
