import { isUpdateOverdue } from '../domain/cluster.ts';
import { EverleafError } from '../domain/errors.ts';
import type { CertificateHead, Identity } from '../domain/identity.ts';
import {
  conditionOf,
  IDENTITY_STATES,
  type IdentityCondition,
  type IdentityState,
} from '../domain/identity-status.ts';
import { MINUTE_MS, wholeSecond } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import { readActiveAuthority } from './authorities.ts';
import { listClusters } from './clusters.ts';
import type { Deps, TimerName } from './deps.ts';
import { type FleetJudgement, judgeFleet } from './judge-fleet.ts';
import { inPool } from './pool.ts';

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

export interface IdentityStatus extends IdentityCondition {
  readonly identity: Identity;
  readonly head: CertificateHead | null;
  readonly liveInstances: number;
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
  readonly authority: { readonly activeId: string; readonly notAfter: Date };
  readonly identities: readonly IdentityStatus[];
  readonly nextCursor: string | null;
}

/** Identities that are read from the record at once. */
const CHUNK = 500;
/** A timer is overdue when this many of its ticks passed without a success. */
const TICKS_OF_PATIENCE = 2;

/**
 * The fleet as an operator sees it: totals over every identity, and those asked for page by page. Reads the whole
 * record; changes nothing.
 */
export async function getStatus(deps: Deps, query: StatusQuery): Promise<Status> {
  const now = deps.clock.now();
  const [authority, queue, clusters, timers] = await Promise.all([
    readActiveAuthority(deps),
    deps.queue.depth(),
    listClusters(deps),
    Promise.all((Object.keys(deps.timers) as TimerName[]).map((name) => timerStatus(deps, name, now))),
  ]);
  const overdue = clusters.filter((each) => isUpdateOverdue(each, deps.policy.updateReminderDays, now));
  const { totals, page, nextCursor } = await readFleet(deps, query, now);
  return {
    ...judgeFleet(totals, timers, queue, authority, now, overdue.length),
    now,
    version: deps.site.version,
    totals: { asOf: now, clusters: clusters.length, ...totals },
    timers,
    queue,
    authority: { activeId: authority.id, notAfter: authority.notAfter },
    identities: page,
    nextCursor,
  };
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

/** An identity as it is found on the walk, before the page's own details are read. */
type Found = Omit<IdentityStatus, 'liveInstances'>;

/** Walks the record once: counts everybody, and picks the page. */
async function readFleet(deps: Deps, query: StatusQuery, now: Date) {
  const byState = Object.fromEntries(IDENTITY_STATES.map((state) => [state, 0])) as Record<
    IdentityState,
    number
  >;
  const found: Found[] = [];
  let identities = 0;
  let nextCursor: string | null = null;
  let isAfterCursor = query.cursor === null;
  let cursor: string | null = null;
  do {
    const chunk = await deps.identities.identities({ limit: CHUNK, ...(cursor === null ? {} : { cursor }) });
    for (const one of await inPool(chunk.items, (identity) => judge(deps, identity, now))) {
      identities += 1;
      byState[one.state] += 1;
      if (!isAfterCursor) isAfterCursor = identityText(one.identity) === query.cursor;
      else if (isWanted(one, query)) {
        const last = found.at(-1);
        if (found.length < query.limit) found.push(one);
        else if (last !== undefined) nextCursor = identityText(last.identity);
      }
    }
    cursor = chunk.nextCursor;
  } while (cursor !== null);
  if (!isAfterCursor) throw new EverleafError('InvalidInput', 'cursor is not one that a page gave.');
  const page = await inPool(found, (one) => withInstances(deps, one, now));
  return { totals: { identities, byState }, page, nextCursor };
}

function isWanted(one: Found, query: StatusQuery): boolean {
  return (
    (query.cluster === null || one.identity.cluster === query.cluster) &&
    (query.state === null || one.state === query.state)
  );
}

/**
 * The certificate that is shown: the vault's current one, or of an agent's lines that live the one that ends last. The
 * state is judged by the one that the agent holds, as far as the record can tell: the one issued last.
 */
async function judge(deps: Deps, identity: Identity, now: Date): Promise<Found> {
  if (identity.delivery === 'vault') {
    const { head } = identity.certificate;
    return { identity, head, ...conditionOf(identity, head, now) };
  }
  const heads = (await deps.identities.instances(identity)).map(({ head }) => head);
  const live = heads.filter(({ notAfter }) => notAfter >= wholeSecond(now));
  const shown = inOrder(inOrder(heads, 'issuedAt'), 'notAfter').at(-1) ?? null;
  const held = inOrder(live, 'issuedAt').at(-1) ?? shown;
  return { identity, head: shown, ...conditionOf(identity, held, now) };
}

async function withInstances(deps: Deps, one: Found, now: Date): Promise<IdentityStatus> {
  const instances = await deps.identities.instances(one.identity);
  const live = instances.filter(({ head }) => head.notAfter >= wholeSecond(now));
  return { ...one, liveInstances: live.length };
}

/** Certificates in the order of one of their dates; those with the same date stay in the order they had. */
function inOrder(heads: readonly CertificateHead[], by: 'issuedAt' | 'notAfter'): readonly CertificateHead[] {
  return [...heads].sort((a, b) => a[by].getTime() - b[by].getTime());
}
