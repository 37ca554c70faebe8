import type { Deps } from '../../shared/use-cases/deps.ts';
import { interceptPorts } from './intercepted-ports.ts';

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

/** A small generator with a seed: 32 bits of state are plenty to pick an order with. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
