import type { RollAction } from './authority-plan.ts';
import type { CredentialKind, Identity } from './identity.ts';
import { toInstant } from './instants.ts';
import { type IdentityId, identityText } from './names.ts';
import { renewalWindow } from './policy.ts';

export type PlanAction = 'renew' | 'rotate' | 'request' | 'remind' | RollAction | 'none';
export type PlanReason =
  | 'InWindow'
  | 'Overdue'
  | 'Retry'
  | 'Forced'
  | 'AuthorityTainted'
  | 'AutoRotateOff'
  | 'AgentMustAct'
  | 'Revoked'
  | 'NotDue';

/** One line of a plan: what should be done to one credential, and why. */
export interface PlanEntry {
  readonly target: IdentityId | { readonly authorityId: string };
  readonly kind: CredentialKind | 'authority' | 'crl' | 'responder' | 'reminder';
  readonly action: PlanAction;
  readonly dueAt: Date;
  readonly windowOpensAt: Date | null;
  readonly windowClosesAt: Date | null;
  readonly reason: PlanReason;
  readonly text: string;
  readonly generation: number;
}

/**
 * Decides what is to be done now to one credential of an identity. The scan, the plan page and the worker all ask
 * this one function, so that what is shown is what is done. Pure: the same record and moment give the same answer.
 */
export function planCredential(identity: Identity, kind: CredentialKind, now: Date): PlanEntry {
  const facts = credentialFacts(identity, kind);
  const decision = decide(identity, kind, facts, now);
  return {
    target: { cluster: identity.cluster, name: identity.name },
    kind,
    dueAt: facts.dueAt,
    windowOpensAt: facts.opensAt,
    windowClosesAt: facts.closesAt,
    generation: identity[kind].generation,
    ...decision,
    text: `${decision.action} ${kind} of ${identityText(identity)}: ${decision.text}`,
  };
}

/**
 * Whether a worker should go on with a credential: as the plan says, but without waiting for a retry's moment, which
 * paces the scan and not whoever was sent to work.
 */
export function isWorkDue(identity: Identity, kind: CredentialKind, now: Date): boolean {
  const unpaced =
    kind === 'certificate'
      ? { ...identity, certificate: { ...identity.certificate, failure: null } }
      : { ...identity, token: { ...identity.token, failure: null } };
  const { action } = planCredential(unpaced, kind, now);
  return action === 'renew' || action === 'rotate';
}

/**
 * Whether a credential's next one is made by somebody else: by the agent that holds the key, or by an operator where
 * autoRotate is off. All that Everleaf does when such a credential is due is to remind.
 */
export function isLeftToOthers(identity: Identity, kind: CredentialKind): boolean {
  return identity.delivery === 'agent' || isRotatedByHand(identity, kind);
}

/** A token that is made already is delivered all the same: only making one is what autoRotate speaks of. */
function isRotatedByHand(identity: Identity, kind: CredentialKind): boolean {
  const { autoRotate, token } = identity;
  return kind === 'token' && !autoRotate && !isUndelivered(identity) && token.forcedAt === null;
}

function isUndelivered({ delivery, token }: Identity): boolean {
  return delivery === 'vault' && token.vaultVersion === null;
}

interface CredentialFacts {
  readonly dueAt: Date;
  readonly opensAt: Date | null;
  readonly closesAt: Date | null;
  /** True while the client has nothing to go on with: such a credential is late since it was made. */
  readonly isMissing: boolean;
  readonly text: string;
}

/**
 * When a credential is due: at its own moment in the window, or at its retry, or at once while there is none or when an
 * operator asked for it.
 */
function credentialFacts(identity: Identity, kind: CredentialKind): CredentialFacts {
  const retryAt = identity[kind].failure?.retryAt ?? identity[kind].forcedAt;
  if (kind === 'token') {
    const { id, issuedAt, expiresAt, rotateAfter } = identity.token;
    const window = renewalWindow(issuedAt, expiresAt, id);
    // A token that the vault does not hold yet serves nobody: it is due since it was made.
    const undelivered = isUndelivered(identity);
    return {
      dueAt: retryAt ?? (undelivered ? issuedAt : rotateAfter),
      opensAt: window.opensAt,
      closesAt: window.closesAt,
      isMissing: undelivered,
      text: undelivered ? 'the vault does not hold it yet' : `it ends at ${toInstant(expiresAt)}`,
    };
  }
  const head = identity.certificate.head;
  if (head === null) {
    return {
      dueAt: retryAt ?? identity.createdAt,
      opensAt: null,
      closesAt: null,
      isMissing: true,
      text: 'there is none yet',
    };
  }
  const window = renewalWindow(head.issuedAt, head.notAfter, head.serialNumber);
  return {
    dueAt: retryAt ?? head.renewAfter,
    opensAt: window.opensAt,
    closesAt: window.closesAt,
    isMissing: false,
    text: `it ends at ${toInstant(head.notAfter)}`,
  };
}

function decide(
  identity: Identity,
  kind: CredentialKind,
  facts: CredentialFacts,
  now: Date,
): Pick<PlanEntry, 'action' | 'reason' | 'text'> {
  if (identity.revokedAt !== null) {
    return { action: 'none', reason: 'Revoked', text: `revoked at ${toInstant(identity.revokedAt)}` };
  }
  if (facts.dueAt > now) {
    return { action: 'none', reason: 'NotDue', text: `due at ${toInstant(facts.dueAt)}` };
  }
  const { failure, forcedAt } = identity[kind];
  if (isRotatedByHand(identity, kind)) {
    return { action: 'remind', reason: 'AutoRotateOff', text: 'autoRotate is off, an operator rotates it' };
  }
  if (identity.delivery === 'agent') {
    const text =
      kind === 'certificate'
        ? 'the agent holds the key and renews it'
        : 'the agent rotates it with proof of its key';
    return { action: 'request', reason: 'AgentMustAct', text };
  }
  const action = kind === 'certificate' ? 'renew' : 'rotate';
  if (failure !== null) {
    return { action, reason: 'Retry', text: `try ${failure.attempts + 1} after ${failure.code}` };
  }
  if (forcedAt !== null) {
    return { action, reason: 'Forced', text: `an operator asked for it at ${toInstant(forcedAt)}` };
  }
  const isLate = facts.isMissing || (facts.closesAt !== null && now > facts.closesAt);
  return { action, reason: isLate ? 'Overdue' : 'InWindow', text: facts.text };
}
