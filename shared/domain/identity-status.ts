import { type CertificateHead, type CredentialState, type Identity, tokenEnd } from './identity.ts';
import { toInstant, wholeSecond } from './instants.ts';
import { type Lines, latestOf } from './lines.ts';
import { identityText } from './names.ts';
import * as next from './next-step.ts';
import {
  isHandedOver,
  NO_RECOVERY,
  type Recovery,
  type RecoveryPolicy,
  recoveryOf,
} from './offline-budget.ts';
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

/** What an operator is told of one identity: its state, and the one next step that helps. */
export interface IdentityCondition {
  readonly state: IdentityState;
  readonly nextStep: next.NextStep;
}

/** The certificate that a client goes by. */
export interface HeldCertificate {
  readonly head: CertificateHead;
  /** The line it belongs to, where that is locked. */
  readonly lockedInstance: string | null;
  /** Another line of the identity that is locked; null while none is. */
  readonly lockedBeside: string | null;
  readonly recovery: Recovery;
}

/** What the record alone says that a client holds: enough while that certificate lives and no line is locked. */
export function heldByRecord({ certificate: { head } }: Identity): HeldCertificate | null {
  if (head === null) return null;
  return { head, lockedInstance: null, lockedBeside: null, recovery: NO_RECOVERY };
}

/** What an agent holds by its lines of certificates. */
export function heldByLines(
  { held, locked }: Pick<Lines, 'held' | 'locked'>,
  policy: RecoveryPolicy,
  now: Date,
): HeldCertificate | null {
  if (held === null) return null;
  return {
    head: latestOf(held),
    lockedInstance: held.lockedAt === null ? null : held.id,
    lockedBeside: locked === null || locked.id === held.id ? null : locked.id,
    recovery: recoveryOf(held, policy, now),
  };
}

/**
 * Whether the state of an identity cannot be told from its record alone: another of its lines may live where the
 * certificate that was given last has ended, and lines know of locks and of what is left of the recovery.
 */
export function needsLines(identity: Identity, now: Date): boolean {
  if (identity.delivery === 'vault' || identity.revokedAt !== null) return false;
  const { head } = identity.certificate;
  // The first versions kept an agent's certificate in its line alone.
  const isMissing = head === null && identity.lastSeenAt !== null;
  return isMissing || identity.lockedInstances > 0 || (head !== null && head.notAfter < wholeSecond(now));
}

/** Judges an identity at a moment. A credential's last second is part of its life (RFC 5280, 4.1.2.5). */
export function conditionOf(identity: Identity, held: HeldCertificate | null, now: Date): IdentityCondition {
  if (identity.revokedAt !== null) return { state: 'Revoked', nextStep: next.nothingToDo };
  const second = wholeSecond(now);
  const life = {
    hasEnded: held !== null && held.head.notAfter < second,
    tokenHasEnded: tokenEnd(identity) < second,
  };
  return identity.delivery === 'vault'
    ? stateInVault(identity, life, now)
    : stateWithAgent(identity, held, life, now);
}

interface Life {
  readonly hasEnded: boolean;
  readonly tokenHasEnded: boolean;
}

/** Everleaf renews both credentials by itself; an operator is needed for tokens alone, where autoRotate is off. */
function stateInVault(identity: Identity, life: Life, now: Date): IdentityCondition {
  const { certificate, token } = identity;
  const failing = firstFailing(identity);
  const isRotated = identity.autoRotate || token.vaultVersion === null || token.forcedAt !== null;
  if (life.tokenHasEnded) {
    return {
      state: life.hasEnded ? 'BothExpired' : 'TokenExpired',
      nextStep: isRotated ? waitFor(identity, failing) : replaceToken(identity),
    };
  }
  if (life.hasEnded) return { state: 'CertificateExpired', nextStep: waitFor(identity, failing) };
  if (failing !== null) return { state: 'Retrying', nextStep: waitFor(identity, failing) };
  if (certificate.queuedAt !== null || token.queuedAt !== null) {
    return { state: 'Working', nextStep: next.wait('Its renewal is on the queue or being worked on.') };
  }
  if (certificate.head === null) {
    return { state: 'Pending', nextStep: next.wait('Its first certificate is made by the next scan.') };
  }
  if (isWorkDue(identity, 'certificate', now) || isWorkDue(identity, 'token', now)) {
    return { state: 'Due', nextStep: next.wait('It is due and renewed by the next scan.') };
  }
  return dueForOperator(identity, now) ?? { state: 'Healthy', nextStep: next.nothingToDo };
}

/** The agent must act as long as it can: renew, recover, log in. Where it cannot, an operator makes a token for it. */
function stateWithAgent(
  identity: Identity,
  held: HeldCertificate | null,
  life: Life,
  now: Date,
): IdentityCondition {
  if (held !== null && held.lockedInstance !== null) {
    return { state: 'Locked', nextStep: next.operatorUnlocks(identity, held.lockedInstance) };
  }
  if (held !== null && life.hasEnded) return stateAfterEnd(identity, held, life);
  if (life.tokenHasEnded) return { state: 'TokenExpired', nextStep: replaceToken(identity) };
  // Whoever can go on goes on by itself; the lock waits for a person.
  if (held !== null && held.lockedBeside !== null) {
    return { state: 'Locked', nextStep: next.operatorUnlocks(identity, held.lockedBeside) };
  }
  if (held === null) return { state: 'Pending', nextStep: next.agentLogsIn(firstLoginText(identity)) };
  const holder = { ...identity, certificate: { ...identity.certificate, head: held.head } };
  if (planCredential(holder, 'certificate', now).action === 'request') {
    const text = 'Its certificate is due: the agent renews it with proof of its key.';
    return { state: 'WaitingForAgent', nextStep: next.agentRenews(text) };
  }
  if (planCredential(identity, 'token', now).action === 'request') {
    const text = 'Its token is due: the agent rotates it with proof of its key.';
    return { state: 'WaitingForAgent', nextStep: next.agentRotates(text) };
  }
  if (isHandedOver(identity)) {
    const text = 'An operator made a new token: give the agent its login file, and it logs in with that.';
    return { state: 'WaitingForAdoption', nextStep: next.agentLogsIn(text) };
  }
  // With autoRotate off a token that is due is a reminder in plan and audit log, and no trouble: as long as its
  // certificate lives, the agent can come and rotate it.
  return { state: 'Healthy', nextStep: next.nothingToDo };
}

function stateAfterEnd(identity: Identity, { recovery }: HeldCertificate, life: Life): IdentityCondition {
  const state = life.tokenHasEnded ? 'BothExpired' : 'CertificateExpired';
  if (recovery.until !== null) {
    const text =
      'Its certificate has expired: the agent renews it with proof of its key, which is possible until ' +
      `${toInstant(recovery.until)}, ${recovery.left} more time(s) in a row.`;
    return { state, nextStep: next.agentRecovers(text) };
  }
  if (life.tokenHasEnded) return { state, nextStep: replaceToken(identity) };
  const login = isHandedOver(identity)
    ? 'give the agent the login file that was made for it, and it logs in with that.'
    : 'the agent logs in again with its token.';
  return { state, nextStep: next.agentLogsIn(`Its certificate has expired: ${login}`) };
}

function dueForOperator(identity: Identity, now: Date): IdentityCondition | null {
  if (planCredential(identity, 'token', now).action !== 'remind') return null;
  const text = 'Its token is due and autoRotate is off: an operator rotates it.';
  return { state: 'Due', nextStep: next.operatorRotates(identity, text) };
}

function replaceToken(identity: Identity): next.NextStep {
  return next.operatorRotates(identity, 'Its token has expired: it needs a new token from an operator.');
}

function firstLoginText({ lastSeenAt }: Identity): string {
  return lastSeenAt === null
    ? 'It has never logged in: give the agent its login file.'
    : 'It has no certificate in force: the agent logs in again with its token.';
}

function firstFailing(identity: Identity): CredentialState | null {
  if (identity.certificate.failure !== null) return identity.certificate;
  return identity.token.failure !== null ? identity.token : null;
}

function waitFor(identity: Identity, failing: CredentialState | null): next.NextStep {
  const failure = failing?.failure ?? null;
  if (failure === null) return next.wait('It is renewed by the next scan.');
  return next.wait(
    `Renewal failed ${failure.attempts} time(s), last with ${failure.code} at ${toInstant(failure.at)}; the next try ` +
      `is due at ${toInstant(failure.retryAt)}. If ${failure.code} needs a person, mend it before then: ` +
      `${identityText(identity)} is tried again by itself.`,
  );
}
