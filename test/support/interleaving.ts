import type { Deps } from '../../shared/use-cases/deps.ts';
import { interceptPorts } from './intercepted-ports.ts';
import { mulberry32 } from './seeded-random.ts';

type Turn = { readonly go: () => void; readonly isPatient: boolean };

/**
 * Runs several callers at once, one port call at a time, in an order that a seed decides: the same seed, the same
 * order. Whoever waits by the clock gets its turn when nobody else wants one, as in a world where calls take
 * milliseconds and waits take many.
 */
export async function interleave<T>(
  deps: Deps,
  seed: number,
  callers: readonly ((deps: Deps) => Promise<T>)[],
): Promise<PromiseSettledResult<T>[]> {
  const random = mulberry32(seed);
  const turns: Turn[] = [];
  const taking = interceptPorts(deps, async ({ port }, proceed) => {
    await new Promise<void>((go) => turns.push({ go, isPatient: port === 'clock' }));
    return proceed();
  });
  let running = callers.length;
  const results = callers.map((caller) => caller(taking).finally(() => running--));
  const settled = Promise.allSettled(results);
  while (running > 0) {
    // Everything between two port calls has happened once the event loop comes round.
    await new Promise((resolve) => setImmediate(resolve));
    const hasty = turns.filter(({ isPatient }) => !isPatient);
    const candidates = hasty.length > 0 ? hasty : turns;
    const chosen = candidates[Math.floor(random() * candidates.length)];
    if (chosen === undefined) continue;
    turns.splice(turns.indexOf(chosen), 1);
    chosen.go();
  }
  return settled;
}
