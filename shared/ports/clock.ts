/**
 * What time it is, and waiting.
 * 1. `now` never throws. Nothing else in the product reads a clock.
 * 2. `wait` ends after about `ms` milliseconds of the machine's own time; it is for polling, never for scheduling.
 */
export interface Clock {
  now(): Date;
  wait(ms: number): Promise<void>;
}
