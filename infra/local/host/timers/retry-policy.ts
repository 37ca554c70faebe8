import type { FunctionMetadata } from '../core/core-types.ts';

/** How often and after which delays a failed run of a timer is repeated. */
export interface RetryPolicy {
  /** -1 for ever. */
  readonly maxRetryCount: number;
  /** The delay before each retry of one run, in milliseconds; it never ends. */
  delays(): Generator<number, never>;
}

// RandomizedExponentialBackoffStrategy.cs in azure-webjobs-sdk: each step is off by up to a fifth.
const RANDOMIZATION = 0.2;

/**
 * Reads the policy that the library registered, with the checks of the real host (ValidateRetryOptions in
 * src/WebJobs.Script/Utility.cs of azure-functions-host, and the attributes of azure-webjobs-sdk that it makes). The
 * library rounds delays to whole seconds (src/converters/toRpcDuration.ts there).
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-error-pages#retry-policies
 * @throws Error naming the function, in .NET's words
 */
export function toRetryPolicy({ name, retryOptions }: FunctionMetadata): RetryPolicy | undefined {
  if (retryOptions === undefined || retryOptions === null) return undefined;
  const wrong = (words: string) => new Error(`Function "${name}": retry: ${words}`);
  const interval = (member: 'delayInterval' | 'minimumInterval' | 'maximumInterval') => {
    const seconds = retryOptions[member]?.seconds;
    const parameter = `${member.charAt(0).toUpperCase()}${member.slice(1)}`;
    if (seconds === undefined) throw wrong(`Value cannot be null. (Parameter '${parameter}')`);
    return seconds * 1000;
  };
  // A number that is left out is 0 in the message from the worker.
  const maxRetryCount = retryOptions.maxRetryCount ?? 0;
  const verifyCount = () => {
    if (maxRetryCount >= -1) return;
    throw wrong("Specified argument was out of the range of valid values. (Parameter 'maxRetryCount')");
  };
  if (retryOptions.retryStrategy === 'fixedDelay') {
    const delayMs = interval('delayInterval');
    verifyCount();
    return { maxRetryCount, delays: () => fixedDelays(delayMs) };
  }
  const [minimumMs, maximumMs] = [interval('minimumInterval'), interval('maximumInterval')];
  verifyCount();
  if (minimumMs > maximumMs) {
    throw wrong(
      "The minimumInterval must not be greater than the maximumInterval. (Parameter 'minimumInterval')",
    );
  }
  return { maxRetryCount, delays: () => exponentialDelays(minimumMs, maximumMs) };
}

function* fixedDelays(delayMs: number): Generator<number, never> {
  for (;;) yield delayMs;
}

function* exponentialDelays(minimumMs: number, maximumMs: number): Generator<number, never> {
  for (let exponent = 0, delayMs = minimumMs; ; exponent += 1) {
    if (delayMs >= maximumMs) for (;;) yield maximumMs;
    yield delayMs;
    const factor = 1 - RANDOMIZATION + 2 * RANDOMIZATION * Math.random();
    delayMs = minimumMs + factor * 2 ** exponent * minimumMs;
  }
}
