import { mulberry32 } from '../seeded-random.ts';

/** Choices that come out the same for the same seed. */
export interface Pick {
  /** 0 to `before` - 1; 0 when there is nothing to choose from. */
  index(before: number): number;
  /** True in about one of `n` cases. */
  oneIn(n: number): boolean;
  /** One of them. @throws Error when there are none */
  of<T>(choices: readonly T[]): T;
  /** One of them, or what stands for none. */
  orElse<T>(choices: readonly T[], none: T): T;
}

export function pickBySeed(seed: number): Pick {
  const fraction = mulberry32(seed);
  const index = (before: number) => Math.floor(fraction() * before);
  const of = <T>(choices: readonly T[]): T => {
    const chosen = choices[index(choices.length)];
    if (choices.length === 0) throw new Error('There is nothing to choose from.');
    return chosen as T;
  };
  return {
    index,
    oneIn: (n) => index(n) === 0,
    of,
    orElse: (choices, none) => (choices.length === 0 ? none : of(choices)),
  };
}
