import {
  type Authority,
  activateSuccessorBy,
  authorityEndText,
  canIssue,
  isSuccessor,
  isTrusted,
} from '../domain/authority.ts';
import { isStepLate, planRoll, type RollFacts } from '../domain/authority-plan.ts';
import { addMs, DAY_MS } from '../domain/instants.ts';
import type { Graded } from './judge-fleet.ts';

/** The authorities as a status shows them: `Overlap` while more than one is trusted. */
export interface AuthoritySummary {
  readonly status: 'Single' | 'Overlap';
  /** Null while a tainted one is being replaced. */
  readonly activeId: string | null;
  readonly nextId: string | null;
  /** End of the active one. */
  readonly notAfter: Date | null;
}

export function summarizeAuthorities(all: readonly Authority[]): AuthoritySummary {
  const active = all.find(({ state }) => state === 'Active');
  return {
    status: all.filter(isTrusted).length > 1 ? 'Overlap' : 'Single',
    activeId: active?.id ?? null,
    nextId: all.find(isSuccessor)?.id ?? null,
    notAfter: active?.notAfter ?? null,
  };
}

/** So close to the day on which the successor signs whoever knows it or not, those that do not know it are named. */
const NAMED_BEFORE_MS = 30 * DAY_MS;

/** An authority that has only so much left is critical: its successor should have signed for months. */
const CRITICAL_MS = 7 * DAY_MS;

/**
 * What is wrong with the authorities and the bundle. What the roll does by itself in its time is no trouble and not told.
 * @param undelivered vaults that do not hold the present bundle
 */
export function judgeAuthorities(facts: RollFacts, undelivered: number): readonly Graded[] {
  const { authorities, now, certificateValidityDays } = facts;
  const active = authorities.find(({ state }) => state === 'Active');
  const late = planRoll(facts).filter((step) => isStepLate(step, now));
  const isNearlyOver = active === undefined || !canIssue(active, addMs(now, CRITICAL_MS));
  const deadline = active === undefined ? now : activateSuccessorBy(active, certificateValidityDays);
  return [
    {
      grade: 'critical',
      code: 'AuthorityTainted',
      text: 'authorities are tainted: what they signed is being replaced',
      count: authorities.filter(({ state }) => state === 'Tainted').length,
    },
    {
      grade: isNearlyOver ? 'critical' : 'warning',
      code: 'AuthorityNeedsSuccessor',
      text: active === undefined ? 'no authority signs' : authorityEndText(active),
      count: isNearlyOver || addMs(deadline, 2 * DAY_MS) < now ? 1 : 0,
    },
    {
      grade: 'warning',
      code: 'AuthorityStepOverdue',
      text: `steps of an authority are due and not taken: ${late.map(({ action }) => action).join(', ')}`,
      count: late.length,
    },
    {
      grade: 'warning',
      code: 'BundleNotDelivered',
      text: 'client vaults do not hold the present trust bundle',
      count: undelivered,
    },
    {
      grade: 'warning',
      code: 'BundleNotAcknowledged',
      text: 'identities have not acknowledged the next authority, which signs within 30 days',
      count: addMs(deadline, -NAMED_BEFORE_MS) <= now ? missing(facts) : 0,
    },
  ];
}

function missing({ acknowledgements, authorities }: RollFacts): number {
  if (acknowledgements === null || !authorities.some(({ state }) => state === 'Published')) return 0;
  const { verifiers, agents } = acknowledgements;
  return verifiers.total - verifiers.acknowledged + agents.total - agents.acknowledged;
}
