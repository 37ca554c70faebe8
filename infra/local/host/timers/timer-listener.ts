import { stackOf } from '../core/core-errors.ts';
import type { TriggerInput } from '../core/invocation.ts';
import type { RunFunction } from '../function-runner.ts';
import type { HostLog } from '../log.ts';
import { Sleeper } from '../sleeper.ts';
import type { TimerFunction } from '../triggers.ts';
import type { Schedule } from './ncrontab.ts';
import {
  initialStatus,
  type ScheduleStatus,
  type ScheduleStatusStore,
  toStatusJson,
} from './schedule-status.ts';

export interface TimerListenerOptions {
  readonly target: TimerFunction;
  readonly schedule: Schedule;
  /** Absent for timers that are not monitored: by `useMonitor: false`, or due more than once a minute. */
  readonly store: ScheduleStatusStore | undefined;
  readonly run: RunFunction;
  readonly log: HostLog;
}

// A sleep is only a guess at when to look again: virtual time may have moved, and setTimeout has a longest delay.
const LONGEST_SLEEP_MS = 60_000;

/**
 * Runs one timer on the global Date's time, after TimerListener.cs in azure-webjobs-sdk-extensions: its scheduled runs
 * never overlap, the next time is computed from the moment a run began, a run that fails changes nothing, and the status
 * is written after the run, so that a crash in the middle makes the next start past due. However many times were
 * missed, by a stop or by a jump of the clock, one run with isPastDue makes up for them.
 */
export class TimerListener {
  readonly #options: TimerListenerOptions;
  readonly #sleeper = new Sleeper();
  #status: ScheduleStatus | undefined;
  #atOnce: 'pastDue' | 'runOnStartup' | undefined;
  #hasJumped = false;
  #isStopping = false;
  #idleWaiters: (() => void)[] = [];
  #loop: Promise<void> | undefined;

  constructor(options: TimerListenerOptions) {
    this.#options = options;
  }

  /** @throws when the status cannot be read or written: a timer without memory would lose runs unseen */
  async start(): Promise<void> {
    const { target, schedule, store, log } = this.#options;
    const now = new Date();
    const { status, isNew } = initialStatus(await store?.read(), schedule, now);
    if (isNew) await store?.write(status);
    this.#status = status;
    if (store !== undefined && now > status.next) this.#atOnce = 'pastDue';
    else if (target.runOnStartup) this.#atOnce = 'runOnStartup';
    log.function('debug', target.name, `Next run at ${status.next.toISOString()}`);
    this.#loop = this.#runLoop(status);
  }

  /** Tells that virtual time has jumped. */
  clockChanged(): void {
    this.#hasJumped = true;
    this.#sleeper.wake();
  }

  /** See Settleable: resolves when the timer is not running and not due. */
  settled(): Promise<void> {
    if (this.#isStopping) return Promise.resolve();
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
      this.#sleeper.wake();
    });
  }

  /** Starts nothing more; resolves when a run under way has ended and its status is written. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#sleeper.wake();
    await this.#loop;
  }

  /** What a run by hand sees: the recorded status, never past due; the schedule goes on as if it had not been. */
  manualInput(): TriggerInput {
    return this.#input(false);
  }

  async #runLoop(initial: ScheduleStatus): Promise<void> {
    let status = initial;
    while (!this.#isStopping) {
      const now = new Date();
      const isDue = now >= status.next;
      const kind = this.#atOnce ?? (isDue ? (this.#hasJumped ? 'pastDue' : 'scheduled') : undefined);
      this.#hasJumped = false;
      if (kind !== undefined) {
        this.#atOnce = undefined;
        status = await this.#fire(kind, now);
        this.#status = status;
      } else {
        for (const resolve of this.#idleWaiters.splice(0)) resolve();
        await this.#sleeper.sleep(Math.min(status.next.getTime() - now.getTime(), LONGEST_SLEEP_MS));
      }
    }
    for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  async #fire(kind: 'pastDue' | 'runOnStartup' | 'scheduled', now: Date): Promise<ScheduleStatus> {
    const { target, schedule, store, run, log } = this.#options;
    if (kind === 'pastDue') log.function('debug', target.name, 'The timer is past due, executing now.');
    await run(target, this.#input(kind === 'pastDue'), `Timer fired at ${now.toISOString()}`, 'background');
    const status = { last: now, next: schedule.next(now), lastUpdated: now };
    try {
      await store?.write(status);
    } catch (error) {
      log.function('error', target.name, `Failed to update the timer's status: ${stackOf(error)}`);
    }
    return status;
  }

  #input(isPastDue: boolean): TriggerInput {
    const { target, store } = this.#options;
    const isMonitored = store !== undefined && this.#status !== undefined;
    return {
      binding: target.binding,
      data: {
        json: JSON.stringify({
          Schedule: { AdjustForDST: true },
          ScheduleStatus: isMonitored && this.#status !== undefined ? toStatusJson(this.#status) : null,
          IsPastDue: isPastDue,
        }),
      },
    };
  }
}
