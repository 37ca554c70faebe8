import type { Clock } from '../../../shared/ports/clock.ts';
import type { TestClock } from '../memory-world.ts';

/** The clock of the program, which somebody sets anew now and then, while the world's own goes right. */
export class ErringClock implements Clock {
  readonly #right: TestClock;
  /** How far it is from the right time, in milliseconds. */
  errorMs = 0;

  constructor(right: TestClock) {
    this.#right = right;
  }

  now(): Date {
    return new Date(this.#right.now().getTime() + this.errorMs);
  }

  wait(ms: number): Promise<void> {
    return this.#right.wait(ms);
  }
}
