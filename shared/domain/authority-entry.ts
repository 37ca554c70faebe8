import { type Authority, authorityEndText } from './authority.ts';
import { isStepDue, type RollStep } from './authority-plan.ts';
import { toInstant } from './instants.ts';
import type { PlanEntry } from './renewal-plan.ts';

/**
 * What a plan says of a step of an authority's life: what is done and why, or what it waits for.
 * @param now the moment that the plan is made for
 */
export function rollEntry(step: RollStep, all: readonly Authority[], now: Date): PlanEntry {
  const { action, authorityId, becauseOf, dueAt, deadline, reason } = step;
  const cause = all.find(({ id }) => id === becauseOf);
  const what = authorityId === null ? `${action} the next authority` : `${action} authority ${authorityId}`;
  const why = cause === undefined ? [] : [authorityEndText(cause)];
  return {
    target: { authorityId: authorityId ?? becauseOf ?? '' },
    kind: 'authority',
    action: isStepDue(step, now) ? action : 'none',
    dueAt,
    windowOpensAt: dueAt,
    windowClosesAt: deadline,
    reason,
    text: [what, [...waitText(step, now), ...why].join('; ')].filter((part) => part !== '').join(': '),
    generation: 0,
  };
}

function waitText({ dueAt, deadline, blockedBy }: RollStep, now: Date): readonly string[] {
  if (dueAt > now) return [`due at ${toInstant(dueAt)}`];
  const until = deadline === null ? '' : `, until ${toInstant(deadline)} at the latest`;
  return blockedBy.length === 0 ? [] : [`it waits because ${blockedBy.join(', and ')}${until}`];
}
