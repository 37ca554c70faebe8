import { messageOf, stackOf } from '../core/core-errors.ts';
import type { RetryContext } from '../core/core-types.ts';
import type { TriggerInput } from '../core/invocation.ts';
import type { RunFunction } from '../function-runner.ts';
import type { HostLog } from '../log.ts';
import { formatTimeSpan } from '../settings/time-span.ts';
import type { TimerFunction } from '../triggers.ts';

export interface TimerRun {
  readonly target: TimerFunction;
  readonly input: TriggerInput;
  readonly reason: string;
  readonly run: RunFunction;
  readonly log: HostLog;
  /** Waits until that instant (milliseconds, Date's epoch); false when the timer is being stopped. */
  readonly waitUntil: (at: number) => Promise<boolean>;
}

/**
 * One scheduled run with its retries (FunctionExecutorExtensions.cs in azure-webjobs-sdk): each attempt is an
 * invocation of its own, told by retryContext how many went before and what the last one failed of. Retries live
 * in memory, so a stop ends them; the run then counts as done.
 */
export async function runTimer(options: TimerRun): Promise<void> {
  const { target, input, reason, run, log, waitUntil } = options;
  const policy = target.retry;
  if (policy === undefined) {
    await run(target, input, reason, 'background');
    return;
  }
  const { maxRetryCount } = policy;
  const delays = policy.delays();
  let retryContext: RetryContext = { retryCount: 0, maxRetryCount };
  for (;;) {
    const { retryCount } = retryContext;
    const outcome = await run(target, { ...input, retryContext }, reason, 'background');
    if (outcome.succeeded) return;
    if (maxRetryCount !== -1 && retryCount >= maxRetryCount) {
      log.function('error', target.name, `Function execution failed after '${retryCount}' retries.`);
      return;
    }
    const delayMs = delays.next().value;
    log.function(
      'debug',
      target.name,
      `Waiting for \`${formatTimeSpan(delayMs)}\` before retrying function execution. Next attempt: '${retryCount + 1}'. Max retry count: '${maxRetryCount}'.`,
    );
    if (!(await waitUntil(Date.now() + delayMs))) {
      log.function('debug', target.name, 'Invocation cancelled - exiting retry loop.');
      return;
    }
    retryContext = {
      retryCount: retryCount + 1,
      maxRetryCount,
      exception: {
        source: '',
        stackTrace: stackOf(outcome.error),
        message: `Exception while executing function: Functions.${target.name} : ${messageOf(outcome.error)}`,
      },
    };
  }
}
