/**
 * When a timer's schedule fires (NCRONTAB, six fields, UTC).
 * 1. `next` is the first tick after `from`, to the second.
 * 2. Answers are pure: the same arguments give the same instant. Errors: InvalidSettings for text that is no schedule.
 */
export interface Schedules {
  next(schedule: string, from: Date): Date;
}
