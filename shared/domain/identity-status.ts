import { type CertificateHead, type CredentialState, type Identity, tokenEnd } from './identity.ts';
import { DAY_MS, later, toInstant, wholeSecond } from './instants.ts';
import { identityText } from './names.ts';
import { isWorkDue, planCredential } from './renewal-plan.ts';

export const IDENTITY_STATES = [
  'Pending',
  'Healthy',
  'Due',
  'Working',
  'Retrying',
  'WaitingForAgent',
  'WaitingForAdoption',
  'CertificateExpired',
  'TokenExpired',
  'BothExpired',
  'Locked',
  'Revoked',
] as const;
export type IdentityState = (typeof IDENTITY_STATES)[number];

export interface NextStep {
  readonly action:
    | 'none'
    | 'wait'
    | 'agent-renew'
    | 'agent-login'
    | 'agent-recover'
    | 'operator-rotate'
    | 'operator-unlock';
  readonly text: string;
  readonly route: string | null;
}

/** What an operator is told of one identity: its state, and the one next step that helps. */
export interface IdentityCondition {
  readonly state: IdentityState;
  readonly nextStep: NextStep;
  /** Whole days from now that the client may stay off and still come back by itself. */
  readonly offlineDays: number;
}

const nothing: NextStep = { action: 'none', text: 'Nothing to do.', route: null };
const rotate = (text: string): NextStep => ({ action: 'operator-rotate', text, route: null });
const replaceToken = rotate('Its token has expired: it needs a new token from an operator.');
const login = (text: string): NextStep => ({ action: 'agent-login', text, route: '/api/login' });

/**
 * Judges an identity at a moment. A credential's last second is part of its life (RFC 5280, 4.1.2.5).
 * @param head its current certificate: the vault's for vault delivery, else the one that its agent took last
 */
export function conditionOf(identity: Identity, head: CertificateHead | null, now: Date): IdentityCondition {
  const second = wholeSecond(now);
  const certificateAlive = head !== null && head.notAfter >= second;
  const tokenAlive = tokenEnd(identity) >= second;
  return {
    ...stateOf(identity, head, certificateAlive, tokenAlive, now),
    offlineDays: offlineDays(identity, head, now),
  };
}

function stateOf(
  identity: Identity,
  head: CertificateHead | null,
  certificateAlive: boolean,
  tokenAlive: boolean,
  now: Date,
): Pick<IdentityCondition, 'state' | 'nextStep'> {
  if (identity.revokedAt !== null) return { state: 'Revoked', nextStep: nothing };
  const vault = identity.delivery === 'vault';
  const failing = firstFailing(identity);
  // With autoRotate off nobody but an operator makes a vault-delivered client's next token.
  const isRotated = vault && (identity.autoRotate || identity.token.vaultVersion === null);
  if (head !== null && !certificateAlive && !tokenAlive) {
    return { state: 'BothExpired', nextStep: isRotated ? waitFor(identity, failing) : replaceToken };
  }
  if (head !== null && !certificateAlive) {
    return {
      state: 'CertificateExpired',
      nextStep: vault
        ? waitFor(identity, failing)
        : login('Its certificate has expired: log in again with the token.'),
    };
  }
  if (!tokenAlive) {
    return { state: 'TokenExpired', nextStep: isRotated ? waitFor(identity, failing) : replaceToken };
  }
  if (failing !== null) return { state: 'Retrying', nextStep: waitFor(identity, failing) };
  if (identity.certificate.queuedAt !== null || identity.token.queuedAt !== null) {
    return { state: 'Working', nextStep: wait('Its renewal is on the queue or being worked on.') };
  }
  if (head === null) {
    return {
      state: 'Pending',
      nextStep: vault
        ? wait('Its first certificate is made by the next scan.')
        : login('It has never logged in: give the agent its login file.'),
    };
  }
  if (isWorkDue(identity, 'certificate', now) || isWorkDue(identity, 'token', now)) {
    return { state: 'Due', nextStep: wait('It is due and renewed by the next scan.') };
  }
  if (vault && planCredential(identity, 'token', now).action === 'remind') {
    return {
      state: 'Due',
      nextStep: rotate('Its token is due and autoRotate is off: an operator rotates it.'),
    };
  }
  if (!vault && head.renewAfter <= now) {
    return { state: 'WaitingForAgent', nextStep: login('Its certificate is due: the agent logs in again.') };
  }
  return { state: 'Healthy', nextStep: nothing };
}

function firstFailing(identity: Identity): CredentialState | null {
  if (identity.certificate.failure !== null) return identity.certificate;
  return identity.token.failure !== null ? identity.token : null;
}

function wait(text: string): NextStep {
  return { action: 'wait', text, route: null };
}

function waitFor(identity: Identity, failing: CredentialState | null): NextStep {
  const failure = failing?.failure ?? null;
  if (failure === null) return wait('It is renewed by the next scan.');
  return wait(
    `Renewal failed ${failure.attempts} time(s), last with ${failure.code} at ${toInstant(failure.at)}; the next try ` +
      `is due at ${toInstant(failure.retryAt)}. If ${failure.code} needs a person, mend it before then: ` +
      `${identityText(identity)} is tried again by itself.`,
  );
}

/** Until its last credential ends, a client can come back: with the certificate, or by logging in with the token. */
function offlineDays(identity: Identity, head: CertificateHead | null, now: Date): number {
  if (identity.revokedAt !== null) return 0;
  const end = head === null ? tokenEnd(identity) : later(head.notAfter, tokenEnd(identity));
  return Math.max(0, Math.floor((end.getTime() - now.getTime()) / DAY_MS));
}
