import { type Cluster, isUpdateOverdue } from '../domain/cluster.ts';
import { EverleafError } from '../domain/errors.ts';
import { IDENTITY_STATES, type IdentityState } from '../domain/identity-status.ts';
import { MINUTE_MS } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import { noAuthority, readAuthorities } from './authorities.ts';
import { listClusters } from './clusters.ts';
import { undelivered } from './deliver-bundle.ts';
import type { Deps, TimerName } from './deps.ts';
import { type AuthoritySummary, judgeAuthorities, summarizeAuthorities } from './judge-authorities.ts';
import { type FleetJudgement, judgeFleet } from './judge-fleet.ts';
import {
  type Bundles,
  type IdentityStatus,
  type JudgedIdentity,
  judgeIdentity,
  readDetails,
} from './judge-identity.ts';
import { judgeRevocation } from './judge-revocation.ts';
import { pagesOf } from './pages.ts';
import { inPool } from './pool.ts';
import { readRollFacts } from './roll-facts.ts';

export interface StatusQuery {
  readonly cluster: string | null;
  readonly state: IdentityState | null;
  readonly limit: number;
  readonly cursor: string | null;
}

export interface TimerStatus {
  readonly name: string;
  readonly schedule: string;
  readonly lastStartedAt: Date | null;
  readonly lastSuccessAt: Date | null;
  readonly lastErrorCode: string | null;
  readonly nextAt: Date;
  /** True when two ticks have passed without a success. */
  readonly overdue: boolean;
}

export interface Status extends FleetJudgement {
  readonly now: Date;
  readonly version: string;
  readonly totals: {
    readonly asOf: Date;
    readonly clusters: number;
    readonly identities: number;
    readonly byState: Readonly<Record<IdentityState, number>>;
  };
  readonly timers: readonly TimerStatus[];
  readonly queue: { readonly waiting: number; readonly poison: number };
  readonly authority: AuthoritySummary;
  readonly identities: readonly IdentityStatus[];
  readonly nextCursor: string | null;
}

/** A timer is overdue when this many of its ticks passed without a success. */
const TICKS_OF_PATIENCE = 2;

/**
 * The fleet as an operator sees it: totals over every identity, and those asked for page by page. Reads every
 * identity's record, and the lines of those on the page and of those whose state only their lines tell; changes nothing.
 * @param onEach is shown every identity on the way, for whoever wants to know more of it than its state
 */
export async function getStatus(
  deps: Deps,
  query: StatusQuery,
  onEach: (one: JudgedIdentity) => void = () => undefined,
): Promise<Status> {
  const now = deps.clock.now();
  const [authorities, queue, clusters, ofRevocation, timers] = await Promise.all([
    readAuthorities(deps),
    deps.queue.depth(),
    listClusters(deps),
    judgeRevocation(deps, now),
    Promise.all((Object.keys(deps.timers) as TimerName[]).map((name) => timerStatus(deps, name, now))),
  ]);
  if (authorities.all.length === 0) throw noAuthority(authorities.all);
  const delivered = (await deps.fleet.deployment())?.value.deliveredBundleId ?? null;
  const lacking = undelivered(delivered, clusters, authorities.bundle.id);
  const bundles = bundlesOf(delivered, clusters, authorities.bundle.id);
  const overdue = clusters.filter((each) => isUpdateOverdue(each, deps.policy.updateReminderDays, now));
  const { totals, open, page, nextCursor } = await readFleet(deps, query, bundles, now, onEach);
  return {
    ...judgeFleet(
      { ...totals, ...open },
      timers,
      queue,
      [...judgeAuthorities(await readRollFacts(deps, now), lacking.length), ...ofRevocation],
      overdue.length,
      deps.backupCipher !== null,
    ),
    now,
    version: deps.site.version,
    totals: { asOf: now, clusters: clusters.length, ...totals },
    timers,
    queue,
    authority: summarizeAuthorities(authorities.all),
    identities: page,
    nextCursor,
  };
}

/** What the client vault of every cluster holds. */
function bundlesOf(delivered: string | null, clusters: readonly Cluster[], currentId: string): Bundles {
  const own = new Map(
    clusters.flatMap(({ name, vaultUrl, deliveredBundleId }) =>
      vaultUrl === null ? [] : [[name, deliveredBundleId] as const],
    ),
  );
  const deliveredTo = (cluster: string) => own.get(cluster) ?? (own.has(cluster) ? null : delivered);
  return { currentId, deliveredTo };
}

async function timerStatus(deps: Deps, name: TimerName, now: Date): Promise<TimerStatus> {
  const schedule = deps.timers[name];
  const run = await deps.fleet.timerRun(name);
  const since = run?.lastSuccessAt ?? (await deps.fleet.deployment())?.value.createdAt ?? now;
  let deadline = since;
  for (let tick = 0; tick < TICKS_OF_PATIENCE; tick++) deadline = deps.schedules.next(schedule, deadline);
  return {
    name,
    schedule,
    lastStartedAt: run?.lastStartedAt ?? null,
    lastSuccessAt: run?.lastSuccessAt ?? null,
    lastErrorCode: run?.lastErrorCode ?? null,
    nextAt: deps.schedules.next(schedule, now),
    overdue: now.getTime() > deadline.getTime() + MINUTE_MS,
  };
}

/** Walks the record once: counts everybody, and picks the page. */
async function readFleet(
  deps: Deps,
  query: StatusQuery,
  bundles: Bundles,
  now: Date,
  onEach: (one: JudgedIdentity) => void,
) {
  const byState = Object.fromEntries(IDENTITY_STATES.map((state) => [state, 0])) as Record<
    IdentityState,
    number
  >;
  const found: JudgedIdentity[] = [];
  const open = { locked: 0, unrotated: 0 };
  const rules = await deps.revocationRules.all();
  let identities = 0;
  let nextCursor: string | null = null;
  let isAfterCursor = query.cursor === null;
  for await (const chunk of pagesOf((page) => deps.identities.identities(page))) {
    // A page may have ended with an identity that was deleted since: its row keeps the place.
    const judged = await inPool(chunk, async (identity) => ({
      identity,
      one: identity.deletedAt === null ? await judgeIdentity(deps, identity, rules, now) : null,
    }));
    for (const { identity, one } of judged) {
      const isOnPage = isAfterCursor;
      isAfterCursor ||= identityText(identity) === query.cursor;
      if (one === null) continue;
      onEach(one);
      identities += 1;
      byState[one.state] += 1;
      if (one.identity.lockedInstances > 0) open.locked += 1;
      if (one.state === 'Due' && one.nextStep.action === 'operator-rotate') open.unrotated += 1;
      if (!isOnPage || !isWanted(one, query)) continue;
      const last = found.at(-1);
      if (found.length < query.limit) found.push(one);
      else if (last !== undefined) nextCursor = identityText(last.identity);
    }
  }
  if (!isAfterCursor) throw new EverleafError('InvalidInput', 'cursor is not one that a page gave.');
  const page = await inPool(found, (one) => readDetails(deps, one, rules, bundles, now));
  return { totals: { identities, byState }, open, page, nextCursor };
}

function isWanted(one: JudgedIdentity, query: StatusQuery): boolean {
  return (
    (query.cluster === null || one.identity.cluster === query.cluster) &&
    (query.state === null || one.state === query.state)
  );
}
