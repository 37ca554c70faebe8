import type { Taint } from './authority.ts';
import { addMs, HOUR_MS, later, MINUTE_MS } from './instants.ts';

/** How long after a search of the whole fleet the next one is worth its reads. */
const SWEEP_MS = HOUR_MS;

/** What decides whether more identities are asked now. */
export interface PaceFacts {
  readonly taint: Taint;
  /** Whether another authority signs, so that asking is of any use. */
  readonly isReplaced: boolean;
  /** How many identities the operation is about. */
  readonly total: number;
  readonly waveSize: number;
  readonly waveMinutes: number;
  readonly now: Date;
}

/**
 * What is to be done next about a tainted authority. `wave`: ask the items from `from` up to `to`, this one not included.
 * `sweep`: search the whole fleet for whoever the waves have missed. `wait`: nothing before `until`; null where that is
 * no matter of time.
 */
export type Pace =
  | { readonly next: 'wave'; readonly from: number; readonly to: number }
  | { readonly next: 'sweep' }
  | { readonly next: 'wait'; readonly until: Date | null; readonly reason: string };

/**
 * The pace of the waves: one after the other, each when the vaults are done with the one before it, and never sooner than
 * so many minutes after that one began. Whoever waits for an agent holds nobody up.
 */
export function planPace({ taint, isReplaced, total, waveSize, waveMinutes, now }: PaceFacts): Pace {
  if (taint.pausedAt !== null) return { next: 'wait', until: null, reason: 'an operator has paused it' };
  if (!isReplaced) return { next: 'wait', until: null, reason: 'no other authority signs yet' };
  if (!taint.isWaveDone) return { next: 'wait', until: null, reason: 'the vaults are at work on a wave' };
  const until = nextAt(taint, taint.waveTo < total, waveMinutes);
  if (until !== null && until > now) return { next: 'wait', until, reason: 'the next wave has its time' };
  return taint.waveTo < total
    ? { next: 'wave', from: taint.waveTo, to: Math.min(total, taint.waveTo + waveSize) }
    : { next: 'sweep' };
}

/** Null while nothing was done yet. */
function nextAt({ waveAt, sweptAt }: Taint, isMore: boolean, waveMinutes: number): Date | null {
  const afterWave = waveAt === null ? null : addMs(waveAt, waveMinutes * MINUTE_MS);
  if (isMore || sweptAt === null) return afterWave;
  const afterSweep = addMs(sweptAt, SWEEP_MS);
  return afterWave === null ? afterSweep : later(afterWave, afterSweep);
}
