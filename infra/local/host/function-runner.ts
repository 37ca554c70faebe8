import type { Activity, Origin } from './activity.ts';
import { stackOf } from './core/core-errors.ts';
import type { TypedData } from './core/core-types.ts';
import type { FunctionApp } from './core/function-app.ts';
import { invoke, newInvocationId, type TriggerInput } from './core/invocation.ts';
import type { HostLog } from './log.ts';
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

/**
 * Runs functions with the real host's log lines around them, and counts them in `activity`.
 * @param functionTimeoutMs after it an invocation counts as failed. The real host then ends the worker as well; here
 *   the function's code runs on, as it cannot be stopped without the process.
 */
export function createRunner(
  app: FunctionApp,
  activity: Activity,
  log: HostLog,
  functionTimeoutMs: number,
): RunFunction {
  return (target, input, reason, origin) => activity.track(origin, run(target, input, reason));

  async function run(target: TriggeredFunction, input: TriggerInput, reason: string): Promise<Outcome> {
    const id = input.invocationId ?? newInvocationId();
    const startedAt = performance.now();
    const name = `Functions.${target.name}`;
    log.function('information', target.name, `Executing '${name}' (Reason='${reason}', Id=${id})`);
    const end = (result: string) =>
      `Executed '${name}' (${result}, Id=${id}, Duration=${Math.round(performance.now() - startedAt)}ms)`;
    try {
      const response = await withTimeout(
        invoke(app, target.registered, id, input),
        functionTimeoutMs,
        `Timeout value of ${functionTimeoutMs / 1000} s exceeded by function: ${name}`,
      );
      log.function('information', target.name, end('Succeeded'));
      return { succeeded: true, returnValue: response.returnValue };
    } catch (error) {
      log.function('error', target.name, `${end('Failed')}\n${stackOf(error)}`);
      return { succeeded: false, error };
    }
  }
}

// The longest delay that setTimeout takes; a longer one would fire at once.
const MAX_DELAY_MS = 2 ** 31 - 1;

async function withTimeout<Result>(work: Promise<Result>, ms: number, message: string): Promise<Result> {
  if (ms > MAX_DELAY_MS) return work;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), ms);
    // A function that hangs must not keep a host alive that has been stopped.
    timer.unref();
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
