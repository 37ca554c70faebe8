import { rollEntry } from '../domain/authority-entry.ts';
import { planRoll } from '../domain/authority-plan.ts';
import { planReminder } from '../domain/cluster.ts';
import { canPublishCrl, planCrl } from '../domain/crl.ts';
import { identityText } from '../domain/names.ts';
import { type PlanEntry, planCredential } from '../domain/renewal-plan.ts';
import { planResponder } from '../domain/responder.ts';
import { noAuthority } from './authorities.ts';
import type { Deps } from './deps.ts';
import { inPool } from './pool.ts';
import { publishedOf } from './read-crl.ts';
import { readResponders } from './renew-responders.ts';
import { readRollFacts } from './roll-facts.ts';

export interface Plan {
  readonly at: Date;
  readonly computedAt: Date;
  /** Entries by action, over the whole plan and not this page alone. */
  readonly counts: Readonly<Record<string, number>>;
  readonly entries: readonly PlanEntry[];
  readonly nextCursor: string | null;
}

export interface PlanQuery {
  /** The moment of the scan that is asked about; null is now. */
  readonly at: Date | null;
  readonly cluster: string | null;
  readonly limit: number;
  /** Position in the plan, as an earlier page gave it. */
  readonly offset: number;
}

/**
 * What a scan at a moment would do and why: the authorities with their revocation lists and OCSP responders first, then
 * every credential that is due by then. It asks the same functions as the timers, and changes nothing.
 */
export async function getPlan(deps: Deps, query: PlanQuery): Promise<Plan> {
  const computedAt = deps.clock.now();
  const at = query.at ?? computedAt;
  const entries: PlanEntry[] = [];
  if (query.cluster === null) {
    entries.push(...(await planAuthorities(deps, at)));
    entries.push(...(await planCrls(deps, at)));
    const responders = await readResponders(deps, at);
    entries.push(...responders.map(({ authority, responder }) => planResponder(authority, responder, at)));
  }
  entries.push(...(await planReminders(deps, query.cluster, at)));
  const due = (await deps.identities.due(at, Number.POSITIVE_INFINITY)).filter(
    (row) => row.dueAt <= at && (query.cluster === null || row.identity.cluster === query.cluster),
  );
  const planned = await inPool(due, async (row) => {
    const stored = await deps.identities.identity(row.identity);
    const isCurrent =
      stored !== null && stored.value.deletedAt === null && stored.value[row.kind].dueKey === row.key;
    return isCurrent ? [planCredential(stored.value, row.kind, at)] : [];
  });
  entries.push(...planned.flat().sort(byMoment));
  return planPage(entries, { ...query, at, computedAt });
}

async function planAuthorities(deps: Deps, at: Date): Promise<readonly PlanEntry[]> {
  const facts = await readRollFacts(deps, at);
  if (facts.authorities.length === 0) throw noAuthority(facts.authorities);
  return planRoll(facts).map((step) => rollEntry(step, facts.authorities, at));
}

async function planCrls(deps: Deps, at: Date): Promise<readonly PlanEntry[]> {
  const [all, states] = await Promise.all([deps.fleet.authorities(), deps.crl.states()]);
  const { crlValidityHours } = deps.policy;
  return all
    .filter((authority) => canPublishCrl(authority, at))
    .flatMap(
      (authority) => planCrl(authority, publishedOf(states, authority.id), crlValidityHours, at) ?? [],
    );
}

async function planReminders(deps: Deps, cluster: string | null, at: Date): Promise<readonly PlanEntry[]> {
  const asked = (await deps.fleet.clusters()).filter(({ name }) => cluster === null || name === cluster);
  return asked.flatMap((each) => planReminder(each, deps.policy.updateReminderDays, at) ?? []);
}

/** One page of a plan's entries, with the counts of all. */
export function planPage(
  entries: readonly PlanEntry[],
  { at, computedAt, offset, limit }: Pick<Plan, 'at' | 'computedAt'> & { offset: number; limit: number },
): Plan {
  const counts: Record<string, number> = {};
  for (const { action } of entries) counts[action] = (counts[action] ?? 0) + 1;
  const end = offset + limit;
  return {
    at,
    computedAt,
    counts,
    entries: entries.slice(offset, end),
    nextCursor: end < entries.length ? String(end) : null,
  };
}

function byMoment(a: PlanEntry, b: PlanEntry): number {
  return a.dueAt.getTime() - b.dueAt.getTime() || targetText(a).localeCompare(targetText(b));
}

function targetText({ target, kind }: PlanEntry): string {
  return `${'authorityId' in target ? target.authorityId : identityText(target)} ${kind}`;
}
