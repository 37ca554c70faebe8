import { type Authority, isSuccessor, revokeAt } from '../domain/authority.ts';
import type { AuthorityCensus } from '../domain/authority-census.ts';
import type { RollFacts } from '../domain/authority-plan.ts';
import type { Policy } from '../domain/policy.ts';
import type { Deps } from './deps.ts';

/**
 * What the plan of the authorities needs to know, as it was counted last: two reads, however large the fleet is.
 * @param at the moment that the plan is made for; now when it is left out
 */
export async function readRollFacts(
  deps: Pick<Deps, 'fleet' | 'policy' | 'clock'>,
  at: Date = deps.clock.now(),
): Promise<RollFacts> {
  const [authorities, censuses] = await Promise.all([deps.fleet.authorities(), deps.fleet.censuses()]);
  return rollFacts(authorities, censuses, deps.policy, at);
}

export function rollFacts(
  authorities: readonly Authority[],
  censuses: readonly AuthorityCensus[],
  { certificateValidityDays, authorityRoot }: Pick<Policy, 'certificateValidityDays' | 'authorityRoot'>,
  now: Date,
): RollFacts {
  const next = authorities.find(isSuccessor);
  // What was counted before it was published is nobody's word on it.
  const isOfNow = ({ authorityId, asOf }: AuthorityCensus) =>
    authorities.some((one) => one.id === authorityId && asOf >= (one.taintedAt ?? one.publishedAt ?? asOf));
  const known = censuses.filter(isOfNow);
  // Nothing, counted while something was still being signed, is no count.
  const isFinal = ({ authorityId, asOf, leaves }: AuthorityCensus) =>
    leaves.live > 0 || authorities.some((one) => one.id === authorityId && asOf >= (revokeAt(one) ?? asOf));
  return {
    authorities,
    certificateValidityDays,
    authorityRoot,
    acknowledgements: known.find(({ authorityId }) => authorityId === next?.id) ?? null,
    leaves: new Map(known.filter(isFinal).map(({ authorityId, leaves }) => [authorityId, leaves.live])),
    now,
  };
}
