import type { Activity } from '../activity.ts';

/** A trigger that finds its own work, as timers and queues do. */
export interface Settleable {
  /**
   * Resolves once this trigger has nothing to do at a moment after the call: no timer due, no message visible or
   * being worked on. Work that it finds meanwhile it does first.
   * @throws when it cannot find out, for example because the storage does not answer
   */
  settled(): Promise<void>;
}

/**
 * Waits until the app is idle: every invocation accepted so far has ended, and a whole pass over all triggers, begun
 * when nothing in the background ran, has found nothing to do and started nothing. One pass alone would not do: the
 * last thing that a function did may have been to give work to a trigger that was already asked.
 */
export async function settle(activity: Activity, triggers: readonly Settleable[]): Promise<void> {
  await activity.currentOnes();
  for (;;) {
    const wasIdle = activity.backgroundRunning === 0;
    const startedBefore = activity.backgroundStarted;
    await Promise.all(triggers.map((trigger) => trigger.settled()));
    if (wasIdle && activity.backgroundStarted === startedBefore) return;
    if (activity.backgroundRunning > 0) await activity.currentOnes();
  }
}
