import type { AuditEvent } from '../domain/audit.ts';
import type { ChainHead, SealedEvent } from '../domain/audit-chain.ts';
import type { Page, Stored } from './identity-store.ts';

/** An event that was written with its change and is in no chain yet. */
export interface WaitingEvent {
  readonly chain: string;
  /** Where it stands among all events. */
  readonly position: string;
  readonly event: AuditEvent;
}

/** An entry under the number that it is kept by, which is its own unless somebody has changed it. */
export interface NumberedEntry {
  readonly seq: number;
  readonly entry: SealedEvent;
}

/** Where an event is in the order of time. */
export interface TimelineEntry {
  /** What a next page goes on behind. */
  readonly cursor: string;
  readonly position: string;
  readonly chain: string;
  readonly type: string;
  /** Its number in the chain, or the event itself while it has none. */
  readonly at: { readonly seq: number } | { readonly event: AuditEvent };
}

/** The key that checkpoints are signed with. */
export interface AuditSigningKey {
  readonly v: 1;
  /** Key Vault key id with its version. */
  readonly keyId: string;
  readonly certificate: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/**
 * The audit log: events that wait, and the chains that they are sealed into. A chain lives in one partition, that of the
 * cluster it is named after.
 * 1. `waiting` gives a partition's events that came before a moment, oldest first, page by page; `chainWaiting` those of
 *    one chain behind a position.
 * 2. `append` makes the entries, takes their events out of those that wait and moves the head, all or nothing. At most
 *    APPEND_LIMIT entries. Conflict: somebody else has moved the head since it was read, or began the chain.
 * 3. `head` is null for a chain that has no entry. `replaceHead` fails with Conflict on another etag.
 * 4. `entries` are those after a number, in their order, `limit` at most. Both answer what is there, gaps included: an
 *    entry that somebody has taken out is for the verifier to find.
 * 5. `timeline` gives the events of a partition, sealed or not, behind a cursor and before a moment in the order of time.
 *    An event keeps its place when it is sealed, and a walk that goes on from a cursor meets none of those before it
 *    again.
 * 6. What was acknowledged every later read shows. Events that a later program wrote are left alone and left out.
 * Errors as IdentityStore.
 */
export interface AuditStore {
  readonly partitions: number;
  waiting(
    partition: number,
    options: { before: Date; cursor?: string; limit: number },
  ): Promise<Page<WaitingEvent>>;
  chainWaiting(chain: string, after: string | null, limit: number): Promise<Page<WaitingEvent>>;
  append(append: ChainAppend): Promise<void>;
  head(chain: string): Promise<Stored<ChainHead> | null>;
  heads(partition: number): Promise<readonly Stored<ChainHead>[]>;
  replaceHead(head: ChainHead, etag: string): Promise<void>;
  entries(chain: string, after: number, limit: number): Promise<readonly NumberedEntry[]>;
  timeline(
    partition: number,
    options: { after: string; before: string | null; limit: number },
  ): Promise<Page<TimelineEntry>>;
  signingKey(): Promise<Stored<AuditSigningKey> | null>;
  /** @param etag of the key that it follows; null for the first. Conflict as `replaceHead`. */
  putSigningKey(key: AuditSigningKey, etag: string | null): Promise<void>;
}

export interface ChainAppend {
  readonly head: ChainHead;
  /** Of the head that the entries follow; null when they begin the chain. */
  readonly etag: string | null;
  readonly entries: readonly SealedEvent[];
}

/** Three rows for an entry and one for the head, of the hundred that one transaction takes. */
export const APPEND_LIMIT = 33;
