import {
  type Authority,
  activateSuccessorBy,
  type FinishedAuthority,
  isFinished,
  isSuccessor,
  isTrusted,
  prepareSuccessorAt,
  retireAt,
} from '../domain/authority.ts';
import type { AuthorityCensus } from '../domain/authority-census.ts';
import { planRoll } from '../domain/authority-plan.ts';
import { addMs, DAY_MS } from '../domain/instants.ts';
import { bundleOf } from './authorities.ts';
import { countAcknowledgements } from './count-acknowledgements.ts';
import type { Deps } from './deps.ts';
import { type CrlInfo, readCrlInfo } from './read-crl.ts';
import { rollFacts } from './roll-facts.ts';

/** A count that is older is not shown: the fleet is counted again. */
const COUNT_KEPT_MS = DAY_MS;

/** An authority, what was counted of it, and what it waits for. */
export interface AuthorityView {
  readonly authority: FinishedAuthority;
  /** Null for one that had ended before anybody counted. */
  readonly census: AuthorityCensus | null;
  /** When its successor is to be prepared; null where it has none to be. */
  readonly prepareAt: Date | null;
  /** When the next one signs at the latest: shown at the one that signs and at the one that comes. */
  readonly activateBy: Date | null;
  readonly retireAt: Date | null;
  /** Null while it has none. */
  readonly crl: CrlInfo | null;
  readonly blockedBy: readonly string[];
}

export interface AuthoritiesView {
  readonly status: 'Single' | 'Overlap';
  readonly bundleId: string;
  readonly items: readonly AuthorityView[];
}

/**
 * Every authority that has a certificate, the oldest first. Who has acknowledged what is as it was counted last; when that
 * was more than a day ago, or never, the fleet is counted now.
 */
export async function listAuthorities(deps: Deps): Promise<AuthoritiesView> {
  const now = deps.clock.now();
  const all = await deps.fleet.authorities();
  const censuses = await recentCensuses(deps, all);
  const lists = await readCrlInfo(deps);
  const { certificateValidityDays } = deps.policy;
  const steps = planRoll(rollFacts(all, censuses, deps.policy, now));
  const active = all.find(({ state }) => state === 'Active') ?? null;
  const deadline = active === null ? null : activateSuccessorBy(active, certificateValidityDays);
  const items = all
    .filter(isFinished)
    .sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime() || a.id.localeCompare(b.id))
    .map((authority) => ({
      authority,
      census: censuses.find(({ authorityId }) => authorityId === authority.id) ?? null,
      prepareAt: authority === active ? prepareSuccessorAt(authority) : null,
      activateBy: authority === active || isSuccessor(authority) ? deadline : null,
      retireAt: authority.state === 'Retiring' ? retireAt(authority) : authority.retiredAt,
      crl: lists.get(authority.id) ?? null,
      blockedBy: steps.flatMap(({ authorityId, blockedBy }) =>
        authorityId === authority.id ? blockedBy : [],
      ),
    }));
  return {
    status: all.filter(isTrusted).length > 1 ? 'Overlap' : 'Single',
    bundleId: bundleOf(all).id,
    items,
  };
}

async function recentCensuses(deps: Deps, all: readonly Authority[]): Promise<readonly AuthorityCensus[]> {
  const known = await deps.fleet.censuses();
  const oldest = addMs(deps.clock.now(), -COUNT_KEPT_MS);
  const isMissing = ({ id }: Authority) =>
    !known.some(({ authorityId, asOf }) => authorityId === id && asOf >= oldest);
  const isLiving = (one: Authority) => isFinished(one) && one.state !== 'Retired' && one.state !== 'Revoked';
  if (!all.some((one) => isLiving(one) && isMissing(one))) return known;
  const counted = await countAcknowledgements(deps);
  const isCounted = ({ authorityId }: AuthorityCensus) =>
    counted.some((one) => one.authorityId === authorityId);
  return [...counted, ...known.filter((one) => !isCounted(one))];
}
