import { SECOND_MS } from '../domain/instants.ts';
import type { Deps } from './deps.ts';

/**
 * How long a lost race for a row is tried again. Asked after each one: waits, perhaps, and tells whether there is to be
 * another try.
 */
export type Patience = () => Promise<boolean>;

/** Ten tries without a pause: for steps that somebody repeats anyway. */
export function brief(): Patience {
  let lost = 0;
  return async () => ++lost < 10;
}

const FIRST_CEILING_MS = 50;
const LAST_CEILING_MS = SECOND_MS;
const TOTAL_MS = 20 * SECOND_MS;

/**
 * About 20 s of waits that grow to a second each, with jitter: for steps by which a person or the record takes something
 * away from somebody who may keep writing the same row to prevent it.
 */
export function patient(deps: Pick<Deps, 'clock' | 'random'>): Patience {
  let ceiling = FIRST_CEILING_MS;
  let waited = 0;
  return async () => {
    if (waited >= TOTAL_MS) return false;
    // At least half of it ("equal jitter" of AWS's "Exponential Backoff And Jitter"), so that the end does come.
    const ms = Math.ceil((ceiling * (1 + deps.random.fraction())) / 2);
    waited += ms;
    ceiling = Math.min(2 * ceiling, LAST_CEILING_MS);
    await deps.clock.wait(ms);
    return true;
  };
}
