import type { IdentityId } from './names.ts';

/** One that has not said yet that it knows an authority. */
export interface Straggler extends IdentityId {
  readonly lastSeenAt: Date | null;
}

/** How many of those who must know an authority have said that they do, and who has not. */
export interface AckTally {
  /** Those that have a certificate in force: nobody else can be kept out by an authority that it does not know. */
  readonly total: number;
  readonly acknowledged: number;
  /** `MOST_MISSING` of them at most. */
  readonly missing: readonly Straggler[];
}

/**
 * Stragglers that are named of each kind. Names have 32 and 63 characters at most, so that both lists together fit into
 * one string of Table storage, which has 32 Ki characters.
 */
export const MOST_MISSING = 100;

/** What the fleet says of one authority, counted in one walk over the whole record. */
export interface AuthorityCensus {
  readonly v: 1;
  readonly authorityId: string;
  readonly asOf: Date;
  /** Certificates in force that it signed, and when the last of them ends. */
  readonly leaves: { readonly live: number; readonly latestNotAfter: Date | null };
  /** Those that check the certificates of others: clients of type Host. */
  readonly verifiers: AckTally;
  /** Everybody else, who checks the certificates of servers. */
  readonly agents: AckTally;
}

/** Adds one to a tally. */
export function tally(before: AckTally, who: Straggler, isAcknowledged: boolean): AckTally {
  const isNamed = !isAcknowledged && before.missing.length < MOST_MISSING;
  return {
    total: before.total + 1,
    acknowledged: before.acknowledged + (isAcknowledged ? 1 : 0),
    missing: isNamed ? [...before.missing, who] : before.missing,
  };
}

export const NOBODY: AckTally = { total: 0, acknowledged: 0, missing: [] };

/** `3 of 5 verifiers have not acknowledged it`; null when all have. */
export function missingText(who: string, { total, acknowledged }: AckTally): string | null {
  if (acknowledged >= total) return null;
  return `${total - acknowledged} of ${total} ${who} have not acknowledged it`;
}
