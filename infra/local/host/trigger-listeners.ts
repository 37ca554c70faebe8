import { ProblemError } from './control/json-exchange.ts';
import type { Settleable } from './control/settle.ts';
import { messageOf } from './core/core-errors.ts';
import type { TriggerInput } from './core/invocation.ts';
import type { RunFunction } from './function-runner.ts';
import type { HostLog } from './log.ts';
import { QueueListener } from './queues/queue-listener.ts';
import type { AppSettings } from './settings/app-settings.ts';
import type { HostJson } from './settings/host-json.ts';
import { parseNcrontab } from './timers/ncrontab.ts';
import { blobStatusStores, type ScheduleStatusStore } from './timers/schedule-status.ts';
import { TimerListener } from './timers/timer-listener.ts';
import { blobTimerLocks, type TimerLock } from './timers/timer-lock.ts';
import type { QueueFunction, TimerFunction, TriggeredFunction } from './triggers.ts';

export interface TriggerListenersOptions {
  readonly functions: readonly TriggeredFunction[];
  readonly hostJson: HostJson;
  readonly hostId: string;
  readonly settings: AppSettings;
  readonly run: RunFunction;
  readonly log: HostLog;
}

/** The triggers that find their own work: one listener for each timer and each queue function. */
export class TriggerListeners {
  readonly #timers = new Map<string, TimerListener>();
  readonly #queues = new Map<string, QueueListener>();

  /** @throws Error naming the function and the setting that is missing or wrong */
  constructor(options: TriggerListenersOptions) {
    const { hostId, settings } = options;
    let stores: ((timerName: string) => ScheduleStatusStore) | undefined;
    const storeFor = (name: string) => {
      const storage = settings.connectionString(undefined, `Function "${name}": the timer's status`);
      stores ??= blobStatusStores(storage, hostId);
      return stores(name);
    };
    // As the real host, which without storage keeps its locks in memory.
    const storage = settings.get('AzureWebJobsStorage') ?? '';
    const locks = storage === '' ? undefined : blobTimerLocks(storage, hostId);
    for (const target of options.functions) {
      if (target.type === 'timer') {
        this.#timers.set(target.name, toTimerListener(options, target, storeFor, locks));
      }
      if (target.type === 'queue') this.#queues.set(target.name, toQueueListener(options, target));
    }
  }

  get all(): readonly Settleable[] {
    return this.#all;
  }

  /**
   * @param instance tells this host from others on the same storage, see timers/timer-lock.ts
   * @throws Error naming the function whose trigger the storage refused; the others are stopped then
   */
  async start(instance: string): Promise<void> {
    for (const [name, listener] of [...this.#timers, ...this.#queues]) {
      try {
        await listener.start(instance);
      } catch (cause) {
        await this.stop();
        throw new Error(`Function "${name}": its trigger cannot start: ${messageOf(cause)}`, { cause });
      }
    }
  }

  clockChanged(): void {
    for (const listener of this.#all) listener.clockChanged();
  }

  /** Lets the clock move while no queue is being read, see QueueListener. */
  async holdDuring(move: () => Promise<void>): Promise<void> {
    const held = [...this.#queues.values()].reduce((inner, queue) => () => queue.holdDuring(inner), move);
    await held();
  }

  /** Finds no more work; a timer's run under way is waited for, messages in work are not. */
  async stop(): Promise<void> {
    await Promise.all(this.#all.map((listener) => listener.stop()));
  }

  /** Resolves when the messages in work are done with. */
  async drained(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.drained()));
  }

  /**
   * What a function gets that is run through /admin.
   * @throws ProblemError 400 when it cannot be run so
   */
  async manualInput(target: TriggeredFunction, input: string | undefined): Promise<TriggerInput> {
    const timer = this.#timers.get(target.name);
    if (timer !== undefined) return timer.manualInput();
    const queue = this.#queues.get(target.name);
    if (queue === undefined) {
      throw new ProblemError(400, `"${target.name}" is an HTTP function: call its route instead.`);
    }
    if (input === undefined) {
      throw new ProblemError(400, `"${target.name}" works on messages: give it one as {"input": "..."}.`);
    }
    return queue.manualInput(input);
  }

  get #all(): (TimerListener | QueueListener)[] {
    return [...this.#timers.values(), ...this.#queues.values()];
  }
}

function toTimerListener(
  options: TriggerListenersOptions,
  target: TimerFunction,
  storeFor: (name: string) => ScheduleStatusStore,
  locks: ((timerName: string, instance: string) => TimerLock) | undefined,
): TimerListener {
  const { settings, run, log } = options;
  const usedBy = `Function "${target.name}": schedule`;
  const schedule = parseNcrontab(settings.resolve(target.schedule, usedBy), usedBy);
  const store = target.useMonitor && !schedule.isFast ? storeFor(target.name) : undefined;
  const lockFor = locks === undefined ? undefined : (instance: string) => locks(target.name, instance);
  return new TimerListener({ target, schedule, store, lockFor, run, log });
}

function toQueueListener(options: TriggerListenersOptions, target: QueueFunction): QueueListener {
  const { settings, run, log } = options;
  const usedBy = `Function "${target.name}"`;
  return new QueueListener({
    target,
    queueName: settings.resolve(target.queueName, `${usedBy}: queueName`),
    connectionString: settings.connectionString(target.connection, usedBy),
    settings: options.hostJson.queues,
    run,
    log,
  });
}
