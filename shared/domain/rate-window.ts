/** Counting within windows of time: how much there was in the one that holds now, and when that one ends. */
import { addMs, SECOND_MS } from './instants.ts';

/** How often something happened since a window began. A window that has ended counts as zero. */
export interface WindowCount {
  readonly windowStart: Date;
  /** 1 or more. */
  readonly count: number;
}

/**
 * The start of the window that holds `now`, where windows follow one another from 1970 on: every instance of the app
 * comes to the same one without asking.
 */
export function sharedWindow(now: Date, windowMs: number): Date {
  return new Date(Math.floor(now.getTime() / windowMs) * windowMs);
}

/**
 * How much was counted in the window that holds `now`; 0 when the window has ended. A window that begins after `now`
 * holds it as well: the clock of whoever began it was ahead, and nothing is forgiven for that.
 */
export function countIn(counted: WindowCount | null, now: Date, windowMs: number): number {
  return counted !== null && now < addMs(counted.windowStart, windowMs) ? counted.count : 0;
}

/** One more: in the running window, or as the first of one that begins now. */
export function countOneMore(counted: WindowCount | null, now: Date, windowMs: number): WindowCount {
  const count = countIn(counted, now, windowMs);
  return counted === null || count === 0
    ? { windowStart: now, count: 1 }
    : { windowStart: counted.windowStart, count: count + 1 };
}

/** Whole seconds from `now` until a window has ended, 1 or more: what Retry-After says (RFC 9110, 10.2.3). */
export function secondsUntilEnd(windowStart: Date, now: Date, windowMs: number): number {
  return Math.max(1, Math.ceil((windowStart.getTime() + windowMs - now.getTime()) / SECOND_MS));
}
