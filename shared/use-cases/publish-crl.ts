import { type Authority, type FinishedAuthority, isFinished, isTrusted } from '../domain/authority.ts';
import {
  type CrlLine,
  type CrlState,
  canPublishCrl,
  crossCrlLines,
  isCrlDue,
  isOfBefore,
  isStillListed,
  nextCrlNumber,
} from '../domain/crl.ts';
import { isEverleafError } from '../domain/errors.ts';
import { groupBy } from '../domain/group-by.ts';
import type { ListedRevocation, ListingNote } from '../domain/listed-revocation.ts';
import { compareSerialNumbers } from '../pki/serial-number.ts';
import type { Stored } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';
import { Failures } from './failures.ts';
import { listNoted } from './list-revocations.ts';
import { pagesOf } from './pages.ts';
import { brief } from './patience.ts';
import { publishList } from './publish-list.ts';
import { publishedOf } from './read-crl.ts';
import { withLease } from './with-lease.ts';

/** A run that was killed holds its lease no longer than its message stays away. */
const LEASE_SECONDS = 60;
/** Notes of one partition that one list takes up. */
const NOTES = 1_000;

export interface CrlOutcome {
  /** Lists that were published. */
  readonly published: number;
}

/**
 * The timer's work: every authority's list is looked at, and published where it would say something else or two thirds of
 * its life are left. Everything is decided anew from the record, so whatever came between an earlier run and its end, or
 * kept the message of a revocation from its worker, costs time and nothing else.
 * @returns null when another run holds the lease
 * @throws EverleafError the first failure, after every other list had its turn
 */
export function publishCrl(deps: Deps, run: Run): Promise<CrlOutcome | null> {
  return publishInRounds(deps, run, true);
}

/**
 * What follows a revocation at once: the lists concerned are published. Of a burst of revocations one run takes up all that
 * it finds, and those whose messages find it at work leave theirs to its next round.
 * @throws EverleafError as `publishCrl`, so that the queue delivers the message again
 */
export async function publishAtOnce(deps: Deps, run: Run): Promise<void> {
  await publishInRounds(deps, run, false);
}

async function publishInRounds(deps: Deps, run: Run, isThorough: boolean): Promise<CrlOutcome | null> {
  const lease = {
    name: 'publish-crl',
    seconds: LEASE_SECONDS,
    busy: 'Another run publishes the revocation lists',
  };
  let published: number | null = null;
  do {
    const all: boolean = isThorough && published === null;
    const outcome: CrlOutcome | null = await withLease(deps, run, lease, () => publishLists(deps, run, all));
    if (outcome === null) break;
    published = (published ?? 0) + outcome.published;
    // Whoever wrote a note meanwhile may have found the lease held, and gone.
  } while ((await deps.crl.notes(1)).length > 0);
  return published === null ? null : { published };
}

/**
 * One round: what was noted is listed, numbers are taken, what is listed is read, lists are signed and published, and only
 * then the notes go: those that no list still waits for, because a key that is gone from the vault must not keep the notes
 * of everybody else until there are more of them than a round takes up. Nor does a note that cannot be worked off keep the
 * lists from being replaced in time.
 *
 * A number is taken before anything is read for its list, and only the highest number that was taken is ever published: of
 * two runs the one that has read later wins, whoever of them is slow.
 */
async function publishLists(deps: Deps, run: Run, isThorough: boolean): Promise<CrlOutcome> {
  const notes = await deps.crl.notes(NOTES);
  const failures = new Failures(run);
  const concernedBy =
    (await failures.attempt('list what was revoked', () => listNoted(deps, notes))) ??
    new Map<ListingNote, ReadonlySet<string>>();
  const concerned = new Set([...concernedBy.values()].flatMap((ids) => [...ids]));
  const [all, states, deployment] = await Promise.all([
    deps.fleet.authorities(),
    deps.crl.states(),
    deps.fleet.deployment(),
  ]);
  const restoredAt = deployment?.value.restoredAt ?? null;
  const { crlValidityHours } = deps.policy;
  const candidates = all.filter((authority): authority is FinishedAuthority => {
    const now = deps.clock.now();
    if (!canPublishCrl(authority, now)) return false;
    const published = publishedOf(states, authority.id);
    const cross = crossCrlLines(all, authority.id).filter((line) => isStillListed(line, published));
    return (
      isThorough ||
      concerned.has(authority.id) ||
      (published !== null && isOfBefore(published, restoredAt)) ||
      isCrlDue(authority, published, cross, crlValidityHours, now)
    );
  });
  const taken: { authority: FinishedAuthority; state: Stored<CrlState> }[] = [];
  for (const authority of candidates) taken.push({ authority, state: await takeNumber(deps, authority.id) });
  const listed = taken.length === 0 ? new Map<string, CrlLine[]>() : await readListed(deps, all, taken);
  // Nobody looks for what an authority has signed that nobody trusts any more.
  const awaited = new Set<string>();
  let published = 0;
  for (const { authority, state } of taken) {
    const cross = crossCrlLines(all, authority.id);
    const lines = [...(listed.get(authority.id) ?? []), ...cross]
      .filter((line) => isStillListed(line, state.value.published))
      .sort((a, b) => compareSerialNumbers(a.serialNumber, b.serialNumber));
    try {
      if (await publishList(deps, run, authority, state, lines, cross, restoredAt)) published += 1;
    } catch (error) {
      failures.note(`publish the revocation list of authority ${authority.id}`, error);
      if (isTrusted(authority)) awaited.add(authority.id);
    }
  }
  const done = notes.filter((note) => {
    const ids = concernedBy.get(note);
    return ids !== undefined && ![...ids].some((id) => awaited.has(id));
  });
  if (done.length > 0) await deps.crl.removeNotes(done);
  failures.throwAs(
    `The revocation lists have met ${failures.count} failures; the log names each. The next run tries again.`,
  );
  return { published };
}

/** Takes the next number of an authority's lists: nobody else ever gets it. */
async function takeNumber(deps: Pick<Deps, 'crl' | 'clock'>, authorityId: string): Promise<Stored<CrlState>> {
  const patience = brief();
  for (;;) {
    const found = await deps.crl.state(authorityId);
    const lastNumber = nextCrlNumber(found?.value.lastNumber ?? 0, deps.clock.now());
    try {
      if (found === null) await deps.crl.insertState({ v: 1, authorityId, lastNumber, published: null });
      else await deps.crl.replaceState({ ...found.value, lastNumber }, found.etag);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || !(await patience())) throw error;
      continue;
    }
    const state = await deps.crl.state(authorityId);
    if (state?.value.lastNumber === lastNumber) return state;
  }
}

/**
 * What is listed, by authority, in small records: they are all that is held in memory of however many certificates. Rows
 * that no list needs any more are removed on the way.
 */
async function readListed(
  deps: Pick<Deps, 'crl' | 'clock'>,
  all: readonly Authority[],
  taken: readonly { authority: Authority; state: Stored<CrlState> }[],
): Promise<Map<string, CrlLine[]>> {
  const lists = new Map(taken.map(({ authority }) => [authority.id, [] as CrlLine[]]));
  const published = new Map(taken.map(({ authority, state }) => [authority.id, state.value.published]));
  const now = deps.clock.now();
  // Their keys sign no more, so the lists that they have are their last.
  const ended = new Set(all.filter((one) => isFinished(one) && one.notAfter <= now).map(({ id }) => id));
  for await (const page of pagesOf((position) => deps.crl.allListed(position))) {
    const over: ListedRevocation[] = [];
    for (const one of page) {
      const { authorityId, serialNumber, revokedAt, reason, invalidityDate, notAfter } = one;
      if (ended.has(authorityId) || !isStillListed(one, published.get(authorityId) ?? null)) over.push(one);
      else lists.get(authorityId)?.push({ serialNumber, revokedAt, reason, invalidityDate, notAfter });
    }
    const byCluster = groupBy(over, ({ identity }) => identity.cluster);
    for (const [cluster, remove] of byCluster) await deps.crl.changeListed(cluster, { put: [], remove });
  }
  return lists;
}
