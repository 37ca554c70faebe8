import { messageOf, stackOf } from '../core/core-errors.ts';
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
import { RENEW_LOCK_MS, type TimerLock } from './timer-lock.ts';
import { runTimer } from './timer-run.ts';

export interface TimerListenerOptions {
  readonly target: TimerFunction;
  readonly schedule: Schedule;
  /** Absent for timers that are not monitored: by `useMonitor: false`, or due more than once a minute. */
  readonly store: ScheduleStatusStore | undefined;
  /** The timer's lock for the host of that name. Absent where there is no storage, and so no other host. */
  readonly lockFor: ((instance: string) => TimerLock) | undefined;
  readonly run: RunFunction;
  readonly log: HostLog;
}

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

type Kind = 'pastDue' | 'runOnStartup' | 'scheduled';

// How often a host without the lock asks for it: ListenerLockRecoveryPollingInterval of SingletonOptions.cs.
const RECOVERY_MS = 60_000;
// After a jump of the clock a living holder's lease has run out; this gives it time to renew it.
const HOLDER_FIRST_MS = 1000;

/**
 * Runs one timer on the global Date's time, after TimerListener.cs in azure-webjobs-sdk-extensions and
 * SingletonListener.cs in azure-webjobs-sdk: only the host that holds the timer's lock runs it, its scheduled runs
 * never overlap, the next time is computed from the moment a run began, a run that fails changes nothing, and the status
 * is written after the run, so that a crash in the middle makes the next start past due. However many times were
 * missed, by a stop or by a jump of the clock, one run with isPastDue makes up for them.
 */
export class TimerListener {
  readonly #options: TimerListenerOptions;
  readonly #sleeper = new Sleeper();
  #lock: TimerLock | undefined;
  /** Known while the lock is ours. */
  #status: ScheduleStatus | undefined;
  #atOnce: 'pastDue' | 'runOnStartup' | undefined;
  #isRunning = false;
  #hasJumped = false;
  #isStopping = false;
  #waiters: Waiter[] = [];
  #loop: Promise<void> | undefined;

  constructor(options: TimerListenerOptions) {
    this.#options = options;
  }

  /**
   * @param instance tells this host from others on the same storage
   * @throws when the status cannot be read or written: a timer without memory would lose runs unseen
   */
  async start(instance: string): Promise<void> {
    this.#lock = this.#options.lockFor?.(instance);
    await this.#watch();
    this.#loop = this.#runLoop();
  }

  /** Tells that virtual time has jumped. */
  clockChanged(): void {
    this.#hasJumped = true;
    if (this.#isRunning) void this.#keepLock();
    if (this.#status !== undefined) this.#sleeper.wake();
    else setTimeout(() => this.#sleeper.wake(), HOLDER_FIRST_MS).unref();
  }

  /** See Settleable: resolves when the timer is not running and not due, or is another host's. */
  settled(): Promise<void> {
    if (this.#isStopping) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#sleeper.wake();
    });
  }

  /** Starts nothing more; resolves when a run under way has ended, its status is written and the lock is free. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#sleeper.wake();
    await this.#loop;
    if (this.#status === undefined) return;
    this.#status = undefined;
    try {
      await this.#lock?.release();
    } catch (error) {
      const { log, target } = this.#options;
      log.function('debug', target.name, `The timer's lock could not be released: ${messageOf(error)}`);
    }
  }

  /** What a run by hand sees: the recorded status, never past due; the schedule goes on as if it had not been. */
  async manualInput(): Promise<TriggerInput> {
    return this.#input(this.#status ?? (await this.#options.store?.read()), false);
  }

  /** Makes sure that the timer is still ours, or becomes so when it is free. @returns its status if it is */
  async #watch(): Promise<ScheduleStatus | undefined> {
    const { store, schedule, target, log } = this.#options;
    const lock = this.#lock;
    if (this.#status !== undefined && (lock === undefined || (await lock.renew()))) return this.#status;
    if (this.#status !== undefined) {
      this.#status = undefined;
      log.function('warning', target.name, "The timer's lock was lost to another host.");
    }
    if (lock !== undefined && !(await lock.acquire())) {
      log.function('debug', target.name, 'Another host watches the timer.');
      return undefined;
    }
    const now = new Date();
    const { status, isNew } = initialStatus(await store?.read(), schedule, now);
    if (isNew) await store?.write(status);
    if (store !== undefined && now > status.next) this.#atOnce = 'pastDue';
    else if (target.runOnStartup) this.#atOnce = 'runOnStartup';
    log.function('debug', target.name, `Next run at ${status.next.toISOString()}`);
    this.#status = status;
    return status;
  }

  async #runLoop(): Promise<void> {
    while (!this.#isStopping) {
      try {
        await this.#turn();
      } catch (error) {
        const { log, target } = this.#options;
        log.function('warning', target.name, `The timer's storage does not answer: ${messageOf(error)}`);
        for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
        await this.#sleeper.sleep(RENEW_LOCK_MS / 2);
      }
    }
    this.#tellIdle();
  }

  async #turn(): Promise<void> {
    const status = await this.#watch();
    if (status === undefined) {
      this.#tellIdle();
      await this.#sleeper.sleep(RECOVERY_MS);
      return;
    }
    const now = new Date();
    const kind = this.#atOnce ?? (now < status.next ? undefined : this.#hasJumped ? 'pastDue' : 'scheduled');
    this.#hasJumped = false;
    this.#atOnce = undefined;
    if (kind !== undefined) await this.#fire(kind, status, now);
    else {
      this.#tellIdle();
      // A sleep is only a guess at when to look again: virtual time may move, and the lock wants renewing.
      await this.#sleeper.sleep(Math.min(status.next.getTime() - now.getTime(), RENEW_LOCK_MS));
    }
  }

  #tellIdle(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  async #fire(kind: Kind, status: ScheduleStatus, now: Date): Promise<void> {
    const { target, schedule, store, run, log } = this.#options;
    if (kind === 'pastDue') log.function('debug', target.name, 'The timer is past due, executing now.');
    this.#isRunning = true;
    const keeper = setInterval(() => void this.#keepLock(), RENEW_LOCK_MS);
    keeper.unref();
    try {
      await runTimer({
        target,
        input: this.#input(status, kind === 'pastDue'),
        reason: `Timer fired at ${now.toISOString()}`,
        run,
        log,
        waitUntil: (at) => this.#waitUntil(at),
      });
    } finally {
      clearInterval(keeper);
      this.#isRunning = false;
    }
    const next = { last: now, next: schedule.next(now), lastUpdated: now };
    try {
      await store?.write(next);
    } catch (error) {
      log.function('error', target.name, `Failed to update the timer's status: ${stackOf(error)}`);
    }
    this.#status = next;
  }

  /** Waits in virtual time, during which the timer is idle. @returns false when it must not go on */
  async #waitUntil(at: number): Promise<boolean> {
    while (!this.#isStopping && Date.now() < at) {
      this.#tellIdle();
      await this.#sleeper.sleep(Math.min(at - Date.now(), RENEW_LOCK_MS));
    }
    return !this.#isStopping && (await this.#keepLock());
  }

  /** Renews the lock while a run is under way; whether it is lost is found out after the run. */
  async #keepLock(): Promise<boolean> {
    try {
      return (await this.#lock?.renew()) ?? true;
    } catch (error) {
      const { log, target } = this.#options;
      log.function('warning', target.name, `The timer's lock could not be renewed: ${messageOf(error)}`);
      return true;
    }
  }

  #input(status: ScheduleStatus | undefined, isPastDue: boolean): TriggerInput {
    const { target, store } = this.#options;
    const isMonitored = store !== undefined && status !== undefined;
    return {
      binding: target.binding,
      data: {
        json: JSON.stringify({
          Schedule: { AdjustForDST: true },
          ScheduleStatus: isMonitored ? toStatusJson(status) : null,
          IsPastDue: isPastDue,
        }),
      },
    };
  }
}
