import { Cron } from 'croner';
import { EverleafError } from '../../domain/errors.ts';
import type { Schedules } from '../../ports/schedule.ts';

/** NCRONTAB by croner. Functions timers run in UTC, and want day of month and day of week both to match. */
export const cronSchedules: Schedules = {
  next: (schedule, from) => {
    const next = parse(schedule).nextRun(from);
    if (next === null)
      throw new EverleafError('InvalidSettings', `The schedule "${schedule}" never fires again.`);
    return next;
  },
};

function parse(schedule: string): Cron {
  try {
    return new Cron(schedule, { timezone: 'UTC', domAndDow: true, paused: true });
  } catch (error) {
    throw new EverleafError(
      'InvalidSettings',
      `"${schedule}" is no schedule: expected {second} {minute} {hour} {day} {month} {day of week}.`,
      { cause: error },
    );
  }
}
