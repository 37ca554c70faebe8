import {
  type Authority,
  activateSuccessorBy,
  awaitsOutsideRoot,
  isSuccessor,
  prepareSuccessorAt,
  retireAt,
  revokeAt,
} from './authority.ts';
import { type AckTally, missingText } from './authority-census.ts';
import { addMs, DAY_MS, earlier } from './instants.ts';
import type { Policy } from './policy.ts';

/** What decides an authority's next step, beside the authorities themselves. */
export interface RollFacts {
  readonly authorities: readonly Authority[];
  /** Life of a client's certificate, in days. */
  readonly certificateValidityDays: number;
  /** Who signs the certificates of authorities. */
  readonly authorityRoot: Policy['authorityRoot'];
  /** Who has acknowledged a bundle with the successor in it; null while nobody has counted. */
  readonly acknowledgements: { readonly verifiers: AckTally; readonly agents: AckTally } | null;
  /**
   * Certificates in force by id of the tainted authority that signed them. One that is missing was not counted, or there
   * were none while some were still being signed (`revokeAt`).
   */
  readonly leaves: ReadonlyMap<string, number>;
  readonly now: Date;
}

export type RollAction = 'prepare' | 'publish' | 'activate' | 'retire' | 'revoke' | 'cancel';

/** One step of an authority's life that is to be taken, now or later. */
export interface RollStep {
  readonly action: RollAction;
  /** Null for an authority that is not there yet. */
  readonly authorityId: string | null;
  /** The authority whose end makes the step necessary. */
  readonly becauseOf: string | null;
  readonly dueAt: Date;
  /** From then on nothing blocks the step any more; null where there is no such moment. */
  readonly deadline: Date | null;
  readonly reason: 'NotDue' | 'InWindow' | 'Overdue' | 'AuthorityTainted';
  /** Why a step that is due has to wait, in words; empty when nothing is in its way. */
  readonly blockedBy: readonly string[];
}

/** What blocks the preparation of an authority below an outside root. */
export const AWAITS_OUTSIDE_ROOT = 'the outside root has not signed its request';

export function isStepDue({ dueAt, blockedBy }: RollStep, now: Date): boolean {
  return dueAt <= now && blockedBy.length === 0;
}

/** How long a step may be due before somebody should look why it is not taken: two ticks of the daily timer. */
const LATE_MS = 2 * DAY_MS;

/** Whether a step should have been taken by now. One that waits for others is late when its deadline has passed. */
export function isStepLate(step: RollStep, now: Date): boolean {
  const since = step.action === 'activate' ? step.deadline : step.dueAt;
  return isStepDue(step, now) && since !== null && addMs(since, LATE_MS) < now;
}

/**
 * Every step that the authorities have before them, the most urgent first: those that lead to an authority that signs,
 * then those that end one. Pure: the timer, the plan and a dry run ask this one function. Nothing stands in it before the
 * first start has made the first authority.
 */
export function planRoll(facts: RollFacts): readonly RollStep[] {
  const { authorities } = facts;
  if (authorities.length === 0) return [];
  const active = authorities.find(({ state }) => state === 'Active') ?? null;
  const successor = authorities.find(isSuccessor) ?? null;
  const steps = [
    ...(successor === null ? [planPrepare(facts, active)] : planSuccessor(facts, active, successor)),
    ...authorities.flatMap((authority) => planEnd(facts, authority, active) ?? []),
  ];
  return steps;
}

/** Why there is nobody that signs, where that is so. */
function urgency({ authorities }: RollFacts): { reason: RollStep['reason']; becauseOf: string | null } {
  const tainted = authorities.find(({ state }) => state === 'Tainted' || state === 'Revoked') ?? null;
  return { reason: tainted === null ? 'Overdue' : 'AuthorityTainted', becauseOf: tainted?.id ?? null };
}

function planPrepare(facts: RollFacts, active: Authority | null): RollStep {
  const { now } = facts;
  const common = { action: 'prepare', authorityId: null, blockedBy: [] } as const;
  if (active === null) return { ...common, ...urgency(facts), dueAt: now, deadline: now };
  const dueAt = prepareSuccessorAt(active);
  const deadline = activateSuccessorBy(active, facts.certificateValidityDays);
  const reason = dueAt > now ? 'NotDue' : deadline > now ? 'InWindow' : 'Overdue';
  return { ...common, becauseOf: active.id, dueAt, deadline, reason };
}

function planSuccessor(
  facts: RollFacts,
  active: Authority | null,
  successor: Authority,
): readonly RollStep[] {
  const { now, certificateValidityDays } = facts;
  const deadline = active === null ? now : activateSuccessorBy(active, certificateValidityDays);
  const common = {
    authorityId: successor.id,
    becauseOf: active?.id ?? urgency(facts).becauseOf,
    dueAt: earlier(successor.publishedAt ?? successor.issuedAt, now),
    deadline,
    reason: active === null ? urgency(facts).reason : deadline > now ? 'InWindow' : 'Overdue',
    blockedBy: [],
  } as const;
  // One that was not put to use until its own successor must sign would be replaced at once: another takes its place.
  if (successor.certificate !== null && activateSuccessorBy(successor, certificateValidityDays) <= now) {
    return [{ ...common, action: 'cancel', reason: 'Overdue' }];
  }
  if (successor.state === 'Creating') {
    // Without the root's signature nothing helps, not even the deadline.
    const isWaiting = facts.authorityRoot === 'outside' && awaitsOutsideRoot(successor);
    return [{ ...common, action: 'prepare', blockedBy: isWaiting ? [AWAITS_OUTSIDE_ROOT] : [] }];
  }
  if (successor.state === 'Prepared') return [{ ...common, action: 'publish' }];
  const blockedBy = deadline > now ? missingAcknowledgements(facts) : [];
  return [{ ...common, action: 'activate', blockedBy }];
}

/** Who checks the others' certificates matters most, then everybody who checks a server's. */
function missingAcknowledgements({ acknowledgements }: RollFacts): readonly string[] {
  if (acknowledgements === null) return ['nobody has counted the acknowledgements yet'];
  const { verifiers, agents } = acknowledgements;
  return [missingText('verifiers', verifiers), missingText('agents', agents)].filter((text) => text !== null);
}

function planEnd(facts: RollFacts, authority: Authority, active: Authority | null): RollStep | null {
  const { now } = facts;
  const common = { authorityId: authority.id, becauseOf: authority.id, deadline: null } as const;
  if (authority.state === 'Retiring') {
    const dueAt = retireAt(authority);
    const reason = dueAt > now ? 'NotDue' : 'InWindow';
    return { ...common, action: 'retire', dueAt, reason, blockedBy: [] };
  }
  if (authority.state !== 'Tainted') return null;
  return {
    ...common,
    action: 'revoke',
    dueAt: revokeAt(authority) ?? now,
    deadline: authority.notAfter,
    reason: 'AuthorityTainted',
    blockedBy: authority.notAfter < now ? [] : revocationBlocks(facts, authority, active),
  };
}

function revocationBlocks(
  { leaves }: RollFacts,
  { id, taint }: Authority,
  active: Authority | null,
): readonly string[] {
  if (active === null) return ['no other authority signs yet'];
  if (taint?.pausedAt != null) return ['an operator has paused it'];
  const left = leaves.get(id);
  if (left === undefined) return ['nobody has counted its certificates yet'];
  return left === 0 ? [] : [`${left} certificates that it signed are still in use`];
}
