import type { Random } from '../../shared/ports/random.ts';

/** A small generator with a seed: 32 bits of state are plenty to pick an order with. */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Chance that comes out the same for the same seed, so that a test that failed fails again. */
export function seededRandom(seed: number): Random {
  const fraction = mulberry32(seed);
  return {
    fraction,
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(fraction() * 256)),
  };
}
