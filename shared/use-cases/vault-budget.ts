import { isEverleafError } from '../domain/errors.ts';
import { MINUTE_MS } from '../domain/instants.ts';
import type { Deps, Run } from './deps.ts';

/** The shared count's name, which has hexadecimal digits alone: "vault" in ASCII. */
const COUNTER = '7661756c74';

/** From one run of the timer to the next, and how many renewals fit in between. */
interface Period {
  readonly endsAt: Date;
  readonly budget: number;
}

/** @param now any moment of the period */
export function periodAt(deps: Pick<Deps, 'schedules' | 'timers' | 'policy'>, now: Date): Period {
  const endsAt = deps.schedules.next(deps.timers['renew-due'], now);
  const afterNext = deps.schedules.next(deps.timers['renew-due'], endsAt);
  const minutes = Math.max(1, (afterNext.getTime() - endsAt.getTime()) / MINUTE_MS);
  return { endsAt, budget: Math.floor(deps.policy.vaultKeysPerMinute * minutes) };
}

/**
 * Takes from what the vaults bear until the next scan: one budget for the scan and all operations, whichever instance
 * they run on. The scan takes first, at the period's beginning, and never more than all of it.
 * @param wanted how many renewals are to be sent, 1 or more
 * @returns how many of them may be sent; none when the count cannot be written, because the scans send them anyway
 */
export async function takeFromBudget(
  deps: Pick<Deps, 'schedules' | 'timers' | 'policy' | 'clock' | 'counters'>,
  run: Run,
  wanted: number,
): Promise<number> {
  const { endsAt, budget } = periodAt(deps, deps.clock.now());
  try {
    const taken = await deps.counters.add(COUNTER, endsAt, wanted);
    return Math.max(0, wanted - Math.max(0, taken - budget));
  } catch (error) {
    if (!isEverleafError(error)) throw error;
    run.log.write('warn', `Could not count what is sent to the vaults: ${error.message}`, {
      code: error.code,
    });
    return 0;
  }
}
