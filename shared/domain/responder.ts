/**
 * Who answers OCSP requests for an authority: a certificate of its own (RFC 6960, 4.2.2.2), because the authority's key is
 * not for answering strangers. Nobody can revoke it (4.2.2.2.1), so it lives for days.
 */
import { type Authority, isTrusted } from './authority.ts';
import { addMs, DAY_MS, toInstant, wholeSecond } from './instants.ts';
import { type KeyType, type Validity, validityFor } from './policy.ts';
import type { PlanEntry } from './renewal-plan.ts';

/** Short, because it cannot be revoked; long enough for a weekend without anybody who looks. */
export const RESPONDER_VALIDITY_DAYS = 7;

/** Renewed when half of its life is over: a vault that is away for three days stops no answer. */
const RENEW_AT = 1 / 2;

/** With less than this left, status says so: the timer has tried for a day and a half by then. */
const ENDING_MS = 2 * DAY_MS;

/** A responder's certificate that is in the vault, with the versioned key that signs. */
export interface ResponderCertificate extends Validity {
  readonly serialNumber: string;
  readonly keyId: string;
  /** DER. */
  readonly certificate: Uint8Array;
}

/** One that is being made: serial number and dates are decided before anything is signed. */
export interface ResponderAttempt extends Validity {
  readonly serialNumber: string;
  /** Hash of the SubjectPublicKeyInfo, written before it is signed: a serial number is for one key alone. */
  readonly spkiHash: string | null;
  /** DER; null until it is signed. */
  readonly certificate: Uint8Array | null;
}

/** What there is of responders of one authority. */
export interface Responder {
  readonly v: 1;
  readonly authorityId: string;
  readonly attempt: ResponderAttempt | null;
  /** The newest first; those that have ended are left out. */
  readonly certificates: readonly ResponderCertificate[];
}

/** Whether the authority's certificates are asked about: those of one that nobody trusts are worth nothing anyway. */
export function needsResponder(authority: Authority, now: Date): boolean {
  return isTrusted(authority) && now <= authority.notAfter;
}

/** The certificate that answers are signed with; null while there is none. */
export function responderInForce(responder: Responder | null, now: Date): ResponderCertificate | null {
  const { certificates = [] } = responder ?? {};
  return certificates.find(({ notBefore, notAfter }) => notBefore <= now && now <= notAfter) ?? null;
}

/** The key of a responder: of the authority's own kind, which whoever checks its certificates can check. */
export function responderKeyType({ keyType }: Pick<Authority, 'keyType'>): KeyType {
  return keyType === 'EC-P256' ? 'EC-P256' : 'RSA-2048';
}

/** A responder does not outlive its authority. */
export function responderValidity(authority: Pick<Authority, 'notAfter'>, now: Date): Validity {
  return validityFor(now, RESPONDER_VALIDITY_DAYS, authority.notAfter);
}

/**
 * When the authority's next responder is due; null for never, because the last one ends with the authority.
 * @param now is the answer while there is none that signs
 */
export function renewResponderAt(
  authority: Pick<Authority, 'notAfter'>,
  responder: Responder | null,
  now: Date,
): Date | null {
  const current = responderInForce(responder, now);
  if (current === null) return now;
  return current.notAfter < authority.notAfter ? renewAt(current) : null;
}

function renewAt({ issuedAt, notAfter }: Validity): Date {
  return wholeSecond(addMs(issuedAt, (notAfter.getTime() - issuedAt.getTime()) * RENEW_AT));
}

/** Whether an attempt that a crash has left can still become a certificate worth having: one that is not due at once. */
export function isResponderAttemptUsable(attempt: ResponderAttempt, now: Date): boolean {
  return now < renewAt(attempt);
}

/** Whether an operator should know: there is no responder, or the one that there is should long have been replaced. */
export function isResponderEnding(authority: Authority, responder: Responder | null, now: Date): boolean {
  if (!needsResponder(authority, now)) return false;
  const dueAt = renewResponderAt(authority, responder, now);
  const current = responderInForce(responder, now);
  if (dueAt === null) return false;
  return current === null || (dueAt <= now && addMs(now, ENDING_MS) > current.notAfter);
}

/** What the plan says of the responder of an authority that needs one. */
export function planResponder(authority: Authority, responder: Responder | null, now: Date): PlanEntry {
  const current = responderInForce(responder, now);
  const dueAt = renewResponderAt(authority, responder, now);
  const isDue = dueAt !== null && dueAt <= now;
  const state = current === null ? 'there is none' : `it ends at ${toInstant(current.notAfter)}`;
  const isLast = dueAt === null ? ', as the authority does' : '';
  return {
    target: { authorityId: authority.id },
    kind: 'responder',
    action: isDue ? 'renew' : 'none',
    dueAt: dueAt ?? authority.notAfter,
    windowOpensAt: dueAt,
    windowClosesAt: current?.notAfter ?? null,
    reason: !isDue ? 'NotDue' : current === null ? 'Overdue' : 'InWindow',
    text: `OCSP responder of authority ${authority.id}: ${state}${isLast}`,
    generation: 0,
  };
}
