import type { CrlState } from '../domain/crl.ts';
import type { ListedRevocation, ListingNote } from '../domain/listed-revocation.ts';
import type { IdentityId } from '../domain/names.ts';
import type { Page, Stored } from './identity-store.ts';

/**
 * What the revocation lists are made of. Notes are written by `IdentityStore.commit` and by `RevocationRules`, in the
 * transactions of what revokes.
 * 1. `notes` answers what was noted and not removed, the oldest of each partition first, `limit` of each at most; its cost
 *    grows with what is noted alone. `removeNotes` removes what is there of them.
 * 2. `listed` answers what the lists say of one identity. `changeListed` puts and removes rows of one cluster, some of them
 *    or all: whoever is interrupted does it again.
 * 3. `allListed` walks the rows of all identities page by page.
 * 4. `insertState` makes an authority's row or fails with Conflict; so does `replaceState` when the etag is not the row's.
 * 5. What was acknowledged every later read shows. A row of a newer program fails every read of what is listed, and of
 *    states, with UnknownRecordVersion: no list may lack it. `notes` leaves such rows to that program.
 * Errors as IdentityStore.
 */
export interface CrlStore {
  notes(limit: number): Promise<readonly ListingNote[]>;
  removeNotes(notes: readonly ListingNote[]): Promise<void>;
  listed(id: IdentityId): Promise<readonly ListedRevocation[]>;
  changeListed(
    cluster: string,
    changes: { readonly put: readonly ListedRevocation[]; readonly remove: readonly ListedRevocation[] },
  ): Promise<void>;
  allListed(options: { cursor?: string; limit: number }): Promise<Page<ListedRevocation>>;
  state(authorityId: string): Promise<Stored<CrlState> | null>;
  states(): Promise<readonly CrlState[]>;
  insertState(value: CrlState): Promise<void>;
  replaceState(value: CrlState, etag: string): Promise<void>;
}
