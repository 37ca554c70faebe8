import type { RevocationRule } from '../domain/revocation.ts';
import type { EventChange } from './identity-store.ts';

/**
 * The rules that revoke by what credentials have in common. There are few of them, and every login reads them all.
 * 1. `insert` and `remove` make the change and write the event, or neither. `insert` of an id that is there fails with
 *    Conflict; `remove` of one that is gone writes the event all the same, so whoever removes looks first. Both leave
 *    a note for the revocation lists (see CrlStore) with it.
 * 2. What they have acknowledged every later read shows, oldest first.
 * 3. A rule of a newer program fails every read with UnknownRecordVersion: what it revokes must not pass for good.
 * Errors as IdentityStore.
 */
export interface RevocationRules {
  all(): Promise<readonly RevocationRule[]>;
  insert(rule: RevocationRule, event: EventChange): Promise<void>;
  remove(rule: RevocationRule, event: EventChange): Promise<void>;
}
