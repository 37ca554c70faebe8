import { type PublicEvent, publicEvent } from '../domain/audit-chain.ts';
import { EverleafError } from '../domain/errors.ts';
import type { TimelineEntry } from '../ports/audit-store.ts';
import type { Deps } from './deps.ts';
import { matches } from './events-of-chain.ts';
import type { EventPage, EventQuery } from './get-events.ts';
import { inPool } from './pool.ts';

/** Rows that are read of each partition even when fewer are asked for, so that a rare type is found in fewer calls. */
const LEAST_ROWS = 100;
/** Entries further apart than this are read separately. */
const WIDEST_GAP = 16;

/**
 * Events of every chain, by time. Each keeps its place when it is sealed, so that one position says where a walk stands:
 * what comes behind it is found, whatever was sealed meanwhile.
 */
export async function fleetEvents(deps: Pick<Deps, 'audit'>, query: EventQuery): Promise<EventPage> {
  const { cursor, from, limit } = query;
  if (cursor !== null && !/^[\dTZ:.-]{1,32}\|[0-9a-f]{1,64}(?:\}|\|[\w-]{1,40}\|\d{12})$/.test(cursor)) {
    throw new EverleafError('InvalidInput', 'cursor is not one that a page gave.');
  }
  const after = cursor ?? from?.toISOString() ?? '';
  const before = query.before?.toISOString() ?? null;
  const rows = Math.max(limit, LEAST_ROWS);
  const found: TimelineEntry[] = [];
  const ends: string[] = [];
  await inPool(
    Array.from({ length: deps.audit.partitions }, (_, partition) => partition),
    async (partition) => {
      const page = await deps.audit.timeline(partition, { after, before, limit: rows });
      found.push(...page.items);
      if (page.nextCursor !== null) ends.push(page.nextCursor);
    },
  );
  // Where one partition has more than was read, the others must not run ahead of it.
  const horizon = ends.sort()[0] ?? null;
  const inOrder = found
    .filter((entry) => horizon === null || entry.cursor <= horizon)
    .filter(({ type }) => query.type === null || type === query.type)
    .sort((a, b) => (a.cursor < b.cursor ? -1 : 1));
  const chosen = inOrder.slice(0, limit);
  const nextCursor = inOrder.length > limit ? (chosen.at(-1)?.cursor ?? null) : horizon;
  const events = await loadEvents(deps, chosen);
  return { items: events.filter((event) => matches(event, query)), nextCursor };
}

/** The events of these entries, in their order. An entry that is gone is for the verifier to find. */
async function loadEvents(
  deps: Pick<Deps, 'audit'>,
  entries: readonly TimelineEntry[],
): Promise<PublicEvent[]> {
  const loaded = new Map<string, PublicEvent>();
  await inPool(runsOf(entries), async ({ chain, first, last }) => {
    for (const { seq, entry } of await deps.audit.entries(chain, first - 1, last - first + 1)) {
      loaded.set(`${chain}|${seq}`, entry.event);
    }
  });
  return entries.flatMap(({ chain, at }) => {
    const event = 'event' in at ? publicEvent(at.event, chain) : loaded.get(`${chain}|${at.seq}`);
    return event === undefined ? [] : [event];
  });
}

interface RunOfEntries {
  readonly chain: string;
  readonly first: number;
  readonly last: number;
}

/** Entries that stand close together in their chain are read in one go. */
function runsOf(entries: readonly TimelineEntry[]): RunOfEntries[] {
  const numbers = new Map<string, number[]>();
  for (const { chain, at } of entries) {
    if ('seq' in at) numbers.set(chain, [...(numbers.get(chain) ?? []), at.seq]);
  }
  return [...numbers].flatMap(([chain, seqs]) => {
    const runs: RunOfEntries[] = [];
    for (const seq of seqs.sort((a, b) => a - b)) {
      const run = runs.at(-1);
      if (run !== undefined && seq - run.last <= WIDEST_GAP) runs[runs.length - 1] = { ...run, last: seq };
      else runs.push({ chain, first: seq, last: seq });
    }
    return runs;
  });
}
