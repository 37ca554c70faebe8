import type { CertificateRecord, Identity } from './identity.ts';
import type { Instance } from './instance.ts';
import { earlier } from './instants.ts';
import type { IdentityId } from './names.ts';
import {
  type CertificateRevocation,
  markRevoked,
  type RevocationMark,
  type RevocationReason,
  type RevocationRule,
} from './revocation.ts';

/** A certificate that its authority's revocation list names: what follows from everything that revokes it. */
export interface ListedRevocation {
  readonly v: 1;
  readonly identity: IdentityId;
  readonly serialNumber: string;
  readonly authorityId: string;
  readonly notAfter: Date;
  readonly revokedAt: Date;
  readonly reason: RevocationReason;
  /** Since when its key is known or believed to be in other hands (RFC 5280, 5.3.2); null where nobody has said. */
  readonly invalidityDate: Date | null;
  /** Nothing but a rule revokes it, which may be taken back; every other revocation is for good. */
  readonly isByRuleAlone: boolean;
}

/** What was revoked of an identity, and what was said about it. */
export interface RevokedPart {
  readonly identity: IdentityId;
  /** Null for all of its lines. */
  readonly instance: string | null;
  /** Null for all certificates. */
  readonly serialNumber: string | null;
  readonly invalidityDate: Date | null;
}

/** Identities whose certificates a rule may revoke, or may have revoked until it was taken back. */
export type RuledPart = Pick<RevocationRule, 'clientType' | 'cluster'> & { readonly ruleId: string };

/**
 * Says that the lists must look at somebody's certificates again. It is written in the transaction of whatever revokes, is
 * small whatever it concerns, and goes when a list that has looked is published.
 */
export interface ListingNote {
  readonly v: 1;
  readonly id: string;
  readonly at: Date;
  readonly revoked: RevokedPart | null;
  readonly ruled: RuledPart | null;
}

/** Everything that may revoke one certificate. */
export interface RevokingFacts {
  readonly identity: Identity;
  /** The line that it belongs to; null for the vault's own. */
  readonly instance: Instance | null;
  readonly revocations: readonly CertificateRevocation[];
  /** The rules that match the certificate. */
  readonly rules: readonly RevocationRule[];
  /** What the notes say of it. */
  readonly parts: readonly RevokedPart[];
}

/**
 * What the list is to say of a certificate: since the first moment that anything revokes it, for the first reason unless
 * one says that the key was compromised. What the list has said stays, so that nothing that is revoked for good comes off
 * it again before its end; what a rule alone revokes goes with the rule.
 * @param listed what the list says of it until now
 * @returns null when nothing revokes it
 */
export function listRevocation(
  certificate: CertificateRecord,
  facts: RevokingFacts,
  listed: ListedRevocation | null,
): ListedRevocation | null {
  const lasting = lastingMarks(certificate, facts, listed);
  const ruled = facts.rules.map((rule) => ({ at: rule.createdAt, reason: rule.reason }));
  const marks = [...lasting, ...ruled].sort((a, b) => a.at.getTime() - b.at.getTime());
  const [first] = marks;
  if (first === undefined) return null;
  const start: RevocationMark = { revokedAt: first.at, revocationReason: first.reason };
  const { revocationReason } = marks.reduce(
    (mark, { reason, at }) => markRevoked(mark, reason, at) ?? mark,
    start,
  );
  const { identity, serialNumber, authorityId, notAfter } = certificate;
  return {
    v: 1,
    ...{ identity, serialNumber, authorityId, notAfter },
    revokedAt: first.at,
    reason: revocationReason ?? first.reason,
    invalidityDate: invalidityDateOf(certificate, facts, listed),
    isByRuleAlone: lasting.length === 0,
  };
}

interface Mark {
  readonly at: Date;
  readonly reason: RevocationReason;
}

function lastingMarks(
  { incarnation, serialNumber, spkiHash }: CertificateRecord,
  { identity, instance, revocations }: RevokingFacts,
  listed: ListedRevocation | null,
): readonly Mark[] {
  const marks: Mark[] = [];
  const add = ({ revokedAt, revocationReason }: RevocationMark) => {
    if (revokedAt !== null) marks.push({ at: revokedAt, reason: revocationReason ?? 'unspecified' });
  };
  if (listed !== null && !listed.isByRuleAlone) marks.push({ at: listed.revokedAt, reason: listed.reason });
  if (instance !== null) add(instance);
  const isEarlierLife = Math.min(incarnation, instance?.incarnation ?? incarnation) < identity.incarnation;
  if (!isEarlierLife) add(identity);
  // The identity's row tells of its own life alone. The one before it had ended when this one began, at the latest.
  else marks.push({ at: identity.createdAt, reason: 'cessationOfOperation' });
  for (const one of revocations) {
    if (one.serialNumber === serialNumber) marks.push({ at: one.revokedAt, reason: one.reason });
    else if (one.spkiHash === spkiHash && one.reason === 'keyCompromise') {
      marks.push({ at: one.revokedAt, reason: 'keyCompromise' });
    }
  }
  return marks;
}

/** The earliest that was said. */
function invalidityDateOf(
  { instance, serialNumber }: CertificateRecord,
  { parts }: RevokingFacts,
  listed: ListedRevocation | null,
): Date | null {
  const said = parts
    .filter((part) => part.instance === null || part.instance === instance)
    .filter((part) => part.serialNumber === null || part.serialNumber === serialNumber)
    .map(({ invalidityDate }) => invalidityDate);
  return [listed?.invalidityDate ?? null, ...said].reduce(
    (first, date) => (first === null || date === null ? (first ?? date) : earlier(first, date)),
    null,
  );
}

/** Whether two rows say the same. */
export function isSameListing(one: ListedRevocation, other: ListedRevocation): boolean {
  return (
    one.revokedAt.getTime() === other.revokedAt.getTime() &&
    one.reason === other.reason &&
    one.invalidityDate?.getTime() === other.invalidityDate?.getTime() &&
    one.isByRuleAlone === other.isByRuleAlone
  );
}
