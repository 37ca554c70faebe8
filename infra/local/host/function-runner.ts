import type { Activity, Origin } from './activity.ts';
import { stackOf } from './core/core-errors.ts';
import type { TypedData } from './core/core-types.ts';
import type { FunctionApp } from './core/function-app.ts';
import { invoke, newInvocationId, type TriggerInput } from './core/invocation.ts';
import type { HostLog } from './log.ts';
import { formatTimeSpan } from './settings/time-span.ts';
import type { TriggeredFunction } from './triggers.ts';

export type Outcome =
  | { readonly succeeded: true; readonly returnValue: TypedData | null | undefined }
  | { readonly succeeded: false; readonly error: unknown };

/** How a trigger runs its function: never rejects, a failure is an outcome. */
export type RunFunction = (
  target: TriggeredFunction,
  input: TriggerInput,
  reason: string,
  origin: Origin,
) => Promise<Outcome>;

export interface RunnerOptions {
  readonly app: FunctionApp;
  readonly activity: Activity;
  readonly log: HostLog;
  /** After it an invocation counts as failed. Counted in real time, in which the function's code runs. */
  readonly functionTimeoutMs: number;
  /** Ends the process that the function's code runs in, as nothing else stops it. */
  readonly onTimeout: (() => void) | undefined;
}

// How long an invocation that has timed out may still go on before its worker is ended; two seconds lie between the two
// lines in public logs of the real host.
const GRACE_MS = 2000;

class FunctionTimeoutError extends Error {}

/** Runs functions with the real host's log lines around them, and counts them in `activity`. */
export function createRunner({
  app,
  activity,
  log,
  functionTimeoutMs,
  onTimeout,
}: RunnerOptions): RunFunction {
  return (target, input, reason, origin) => activity.track(origin, run(target, input, reason));

  async function run(target: TriggeredFunction, input: TriggerInput, reason: string): Promise<Outcome> {
    const id = input.invocationId ?? newInvocationId();
    const startedAt = performance.now();
    const name = `Functions.${target.name}`;
    log.function('information', target.name, `Executing '${name}' (Reason='${reason}', Id=${id})`);
    const end = (result: string) =>
      `Executed '${name}' (${result}, Id=${id}, Duration=${Math.round(performance.now() - startedAt)}ms)`;
    const work = invoke(app, target.registered, id, input);
    try {
      const response = await withTimeout(work, functionTimeoutMs, () => {
        const value = `Timeout value of ${formatTimeSpan(functionTimeoutMs)}`;
        const words = `${value} exceeded by function '${name}' (Id: '${id}'). Initiating cancellation.`;
        log.function('error', target.name, words);
        return new FunctionTimeoutError(`${value} was exceeded by function: ${name}`);
      });
      log.function('information', target.name, end('Succeeded'));
      return { succeeded: true, returnValue: response.returnValue };
    } catch (error) {
      log.function('error', target.name, `${end('Failed')}\n${stackOf(error)}`);
      if (error instanceof FunctionTimeoutError) endUnlessDone(work, id);
      return { succeeded: false, error };
    }
  }

  /** WebScriptHostExceptionHandler.cs in azure-functions-host: an invocation that ends after all ends nothing else. */
  function endUnlessDone(work: Promise<unknown>, id: string): void {
    if (onTimeout === undefined) return;
    const timer = setTimeout(() => {
      const words = `A function timeout has occurred. Restarting worker process executing invocationId '${id}'.`;
      log.host('error', words);
      onTimeout();
    }, GRACE_MS);
    timer.unref();
    const cancel = () => clearTimeout(timer);
    work.then(cancel, cancel);
  }
}

// The longest delay that setTimeout takes; a longer one would fire at once.
const MAX_DELAY_MS = 2 ** 31 - 1;

async function withTimeout<Result>(work: Promise<Result>, ms: number, onLate: () => Error): Promise<Result> {
  if (ms > MAX_DELAY_MS) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(onLate()), ms);
    // A function that hangs must not keep a host alive that has been stopped.
    timer.unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
