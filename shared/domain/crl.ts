import { type Authority, type FinishedAuthority, isFinished, isTrusted } from './authority.ts';
import { addMs, DAY_MS, earlier, HOUR_MS, later, SECOND_MS, toInstant, wholeSecond } from './instants.ts';
import { BACKDATE_MS } from './policy.ts';
import type { PlanEntry } from './renewal-plan.ts';
import type { RevocationReason } from './revocation.ts';

/** A list that is published, and what was in it. */
export interface PublishedCrl {
  readonly number: number;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly entries: number;
  /** Of the DER, lower-case hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of what the entries say, to see whether another list would say anything else. */
  readonly contentHash: string;
  /** Serial numbers of cross certificates in it, which stand in the rows of authorities and leave no note. */
  readonly crossSerialNumbers: readonly string[];
}

/** What is known of an authority's lists: one row per authority. */
export interface CrlState {
  readonly v: 1;
  readonly authorityId: string;
  /** The highest number that was ever taken, whether or not a list of that number was ever signed. */
  readonly lastNumber: number;
  readonly published: PublishedCrl | null;
}

/** One line of a list, for the pki to write. */
export interface CrlLine {
  readonly serialNumber: string;
  readonly revokedAt: Date;
  readonly reason: RevocationReason | 'cACompromise';
  readonly invalidityDate: Date | null;
  readonly notAfter: Date;
}

/**
 * Whether the authority has a list to publish: it signs, has signed or is about to, and its key still can. Key Vault lets a
 * key do nothing any more when its certificate has ended.
 */
export function canPublishCrl(authority: Authority, now: Date): authority is FinishedAuthority {
  const isBefore = authority.state === 'Creating' || authority.state === 'Prepared';
  const canSign = authority.keyDisabledAt === null && authority.notAfter > now;
  return isFinished(authority) && !isBefore && !isGivenUp(authority) && canSign;
}

/** Retired before it ever signed. (Rows of the first versions do not say when an authority began to sign.) */
function isGivenUp({ state, activatedAt, retiringAt }: Authority): boolean {
  return state === 'Retired' && activatedAt === null && retiringAt === null;
}

/**
 * The number of the next list. Numbers only grow (RFC 5280, 5.2.3), and none may come twice even where the record was
 * restored from a backup that knows nothing of the last ones: no list is younger than its number, in seconds since 1970.
 */
export function nextCrlNumber(lastNumber: number, now: Date): number {
  return Math.max(lastNumber + 1, Math.floor(now.getTime() / SECOND_MS));
}

/**
 * Whether nothing that an authority signed is in force any more, although it could go on signing. Its key is taken out of
 * use then, but only after its last list.
 */
function isOver({ state }: Pick<Authority, 'state'>): boolean {
  return state === 'Retired' || state === 'Revoked';
}

/** Whether a list was made after the authority was over, and lasts beyond its end: no list of it is needed after that. */
export function isLastCrl(authority: Authority, published: PublishedCrl | null): boolean {
  const overAt = authority.revokedAt ?? authority.retiredAt;
  if (!isOver(authority) || overAt === null || published === null) return false;
  return addMs(published.thisUpdate, BACKDATE_MS) >= overAt && published.nextUpdate > authority.notAfter;
}

/** Whether the key of an authority must still sign its last list. */
export function awaitsLastCrl(authority: Authority, published: PublishedCrl | null, now: Date): boolean {
  return isOver(authority) && canPublishCrl(authority, now) && !isLastCrl(authority, published);
}

/**
 * Whether a list was made before the record was restored from a backup: others of higher numbers may have been served after
 * the backup, so it is not to be served again.
 */
export function isOfBefore({ thisUpdate }: PublishedCrl, restoredAt: Date | null): boolean {
  return restoredAt !== null && addMs(thisUpdate, BACKDATE_MS) < restoredAt;
}

/** How long the last lists of an authority reach beyond its end. */
const BEYOND_END_MS = DAY_MS;

/**
 * From when to when a list made now is good. It begins a little earlier, for verifiers whose clocks are behind. One that is
 * made near the end of its authority, whose key then signs no more, lasts until everything that it signed has ended too; so
 * does one of an authority that is over, whose key signs no more after it.
 * @param validityHours CRL_VALIDITY_HOURS
 */
export function crlValidity(
  authority: Pick<Authority, 'notBefore' | 'notAfter' | 'state'>,
  validityHours: number,
  now: Date,
): { readonly thisUpdate: Date; readonly nextUpdate: Date } {
  const validity = validityHours * HOUR_MS;
  const start = wholeSecond(now);
  const end = addMs(start, validity);
  // From two lengths before the end on: the vault may fail for one of them.
  const isAmongLast = isOver(authority) || addMs(end, validity) > authority.notAfter;
  return {
    thisUpdate: later(addMs(start, -BACKDATE_MS), authority.notBefore),
    nextUpdate: isAmongLast ? later(end, addMs(authority.notAfter, BEYOND_END_MS)) : end,
  };
}

/** The longest that `crlValidity` gives to a list of an authority, in seconds. */
export function longestCrlSeconds(
  authority: Pick<Authority, 'notBefore' | 'notAfter' | 'state'>,
  validityHours: number,
): number {
  const life = authority.notAfter.getTime() - authority.notBefore.getTime();
  const validity = validityHours * HOUR_MS;
  const most = isOver(authority) ? Math.max(life, validity) : 2 * validity;
  return (most + BEYOND_END_MS + BACKDATE_MS) / SECOND_MS;
}

/** When a list is replaced though nothing was revoked: two thirds of its life are left for whatever goes wrong then. */
export function crlDueAt({ thisUpdate, nextUpdate }: PublishedCrl, validityHours: number): Date {
  const life = nextUpdate.getTime() - thisUpdate.getTime();
  return addMs(thisUpdate, Math.floor(Math.min(life, validityHours * HOUR_MS) / 3));
}

/** Whether an authority's list is to be replaced whatever the notes say. */
export function isCrlDue(
  authority: Authority,
  published: PublishedCrl | null,
  crossLines: readonly CrlLine[],
  validityHours: number,
  now: Date,
): boolean {
  if (published === null || awaitsLastCrl(authority, published, now)) return true;
  if (isLastCrl(authority, published)) return false;
  if (crlDueAt(published, validityHours) <= now) return true;
  return crossLines.some(({ serialNumber }) => !published.crossSerialNumbers.includes(serialNumber));
}

/**
 * Whether a list still names a certificate: to its end, and on one list more that is made after that (RFC 5280, 3.3).
 * @param published the list before
 */
export function isStillListed(
  { notAfter }: Pick<CrlLine, 'notAfter'>,
  published: PublishedCrl | null,
): boolean {
  return published === null || notAfter >= published.thisUpdate;
}

/**
 * Cross certificates that an authority has signed and that count for nothing any more: those of an authority that was
 * compromised, once everything that it signed is replaced, and those of one that was given up.
 */
export function crossCrlLines(all: readonly Authority[], issuerId: string): readonly CrlLine[] {
  return all.flatMap((authority) => {
    const end = endOfWorth(authority);
    if (end === null) return [];
    return authority.crossCertificates
      .filter((cross) => cross.issuerId === issuerId && cross.certificate !== null)
      .map(({ serialNumber, notAfter }) => ({ serialNumber, notAfter, ...end }));
  });
}

/**
 * Since when and why everything that vouches for an authority counts for nothing: it was compromised, or given up before it
 * ever signed. Null while it counts.
 */
export function endOfWorth(
  authority: Authority,
): Pick<CrlLine, 'revokedAt' | 'reason' | 'invalidityDate'> | null {
  const { state, revokedAt, taintedAt, retiredAt } = authority;
  if (state === 'Revoked' && revokedAt !== null) {
    return { revokedAt, reason: 'cACompromise', invalidityDate: taintedAt };
  }
  if (!isGivenUp(authority) || retiredAt === null) return null;
  return { revokedAt: retiredAt, reason: 'cessationOfOperation', invalidityDate: null };
}

/** This close to its end a list that is not replaced is an emergency. */
const OVERDUE_MS = DAY_MS;

/** Whether verifiers are about to be without a list, or are, while certificates that they check are in force. */
export function isCrlOverdue(authority: Authority, published: PublishedCrl | null, now: Date): boolean {
  if (!isTrusted(authority) || authority.state === 'Published' || authority.notAfter <= now) return false;
  const end = published?.nextUpdate ?? addMs(authority.activatedAt ?? authority.issuedAt, 2 * OVERDUE_MS);
  return addMs(end, -OVERDUE_MS) <= now;
}

/** What the plan says of an authority's list; null when it has its last one. */
export function planCrl(
  authority: Authority,
  published: PublishedCrl | null,
  validityHours: number,
  now: Date,
): PlanEntry | null {
  if (isLastCrl(authority, published)) return null;
  const { publishedAt, issuedAt, revokedAt, retiredAt } = authority;
  const dueAt =
    published === null
      ? (publishedAt ?? issuedAt)
      : ((isOver(authority) ? (revokedAt ?? retiredAt) : null) ?? crlDueAt(published, validityHours));
  const isDue = dueAt <= now;
  const ends = published === null ? 'there is none yet' : `it ends at ${toInstant(published.nextUpdate)}`;
  const isLate = published === null || earlier(published.nextUpdate, now) === published.nextUpdate;
  return {
    target: { authorityId: authority.id },
    kind: 'crl',
    action: isDue ? 'publish' : 'none',
    dueAt,
    windowOpensAt: dueAt,
    windowClosesAt: published?.nextUpdate ?? null,
    reason: !isDue ? 'NotDue' : isLate ? 'Overdue' : 'InWindow',
    text: `revocation list of authority ${authority.id}: ${ends}`,
    generation: published?.number ?? 0,
  };
}
