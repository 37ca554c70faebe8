import { type PublicEvent, publicEvent, type SealedEvent } from '../domain/audit-chain.ts';
import { EverleafError } from '../domain/errors.ts';
import { MINUTE_MS, toInstant } from '../domain/instants.ts';
import type { Deps } from './deps.ts';
import type { EventPage, EventQuery } from './get-events.ts';

/** Entries, and waiting events, that one call looks at when few of them match. */
const MOST_ROWS = 2_000;
const PAGE = 500;

/**
 * An event is written at the latest when its function is ended, 10 minutes after it began (functionTimeout in host.json).
 * What is sealed later than this behind an end of time cannot lie before it.
 */
const LATEST_MS = 15 * MINUTE_MS;

/** Where a walk stands: behind an entry, and behind an event that had no number when it was given. */
interface Place {
  readonly seq: number;
  readonly position: string | null;
}

type Filter = Pick<EventQuery, 'type' | 'from' | 'before'>;

/**
 * Events of one chain: the sealed ones by number, then those that wait, by time. An event that was given while it waited
 * is not given again when it has its number.
 */
export async function chainEvents(
  deps: Pick<Deps, 'audit'>,
  chain: string,
  query: EventQuery,
): Promise<EventPage> {
  const { cursor, from, limit } = query;
  let { seq, position } = cursor === null ? await beginning(deps, chain, from) : readCursor(cursor);
  const items: PublicEvent[] = [];
  const next = () => ({ items, nextCursor: cursorText({ seq, position }) });
  let looked = 0;
  for (;;) {
    // In this order: whatever is sealed between the two shows in the entries.
    const waiting = await deps.audit.chainWaiting(chain, position, PAGE);
    const entries = await deps.audit.entries(chain, seq, PAGE);
    for (const { seq: number, entry } of entries) {
      if (isBehind(entry, query)) return { items, nextCursor: null };
      seq = number;
      looked += 1;
      const isKnown = position !== null && entry.position <= position;
      if (!isKnown && matches(entry.event, query)) items.push(entry.event);
      if (items.length >= limit || looked >= MOST_ROWS) return next();
    }
    if (entries.length > 0) continue;
    for (const one of waiting.items) {
      position = one.position;
      const event = publicEvent(one.event, chain);
      if (matches(event, query)) items.push(event);
      if (items.length >= limit) return next();
    }
    if (waiting.nextCursor === null) return { items, nextCursor: null };
    position = waiting.nextCursor;
    looked += PAGE;
    if (looked >= MOST_ROWS) return next();
  }
}

/** Whether an event is asked for. Moments are compared as they are shown, in whole seconds. */
export function matches(event: PublicEvent, { type, from, before }: Filter): boolean {
  return (
    (type === null || event.type === type) &&
    (from === null || event.time >= toInstant(from)) &&
    (before === null || event.time < toInstant(before))
  );
}

function isBehind({ latest }: SealedEvent, { before }: Filter): boolean {
  return before !== null && latest.getTime() >= before.getTime() + LATEST_MS;
}

/** Before the first entry that can be as late as `from`: the latest moment so far never goes back along a chain. */
async function beginning(deps: Pick<Deps, 'audit'>, chain: string, from: Date | null): Promise<Place> {
  let low = 0;
  let high = from === null ? 0 : ((await deps.audit.head(chain))?.value.seq ?? 0);
  while (from !== null && low < high) {
    const middle = Math.floor((low + high) / 2);
    const [found] = await deps.audit.entries(chain, middle, 1);
    if (found !== undefined && found.entry.latest < from) low = middle + 1;
    else high = middle;
  }
  return { seq: low, position: null };
}

function cursorText({ seq, position }: Place): string {
  return position === null ? `${seq}` : `${seq}.${position}`;
}

function readCursor(text: string): Place {
  const [, seq, position = null] = /^(\d{1,12})(?:\.([\dTZ:.-]{1,32}\|[0-9a-f]{1,64}))?$/.exec(text) ?? [];
  if (seq === undefined) throw new EverleafError('InvalidInput', 'cursor is not one that a page gave.');
  return { seq: Number(seq), position };
}
