import type { Run } from '../../use-cases/deps.ts';
import { type InvocationLogger, invocationLog } from './invocation-log.ts';
import { inTrace } from './trace.ts';

/**
 * Does the work of a timer or queue invocation: nobody called, so the platform's invocation id ties its traces together.
 */
export function inTimerRun<T>(
  context: InvocationLogger & { invocationId: string; functionName: string },
  work: (run: Run) => T,
): T {
  const { invocationId: correlationId, functionName } = context;
  const log = invocationLog(context, correlationId);
  const run: Run = { actor: { kind: 'timer', id: functionName, source: null }, correlationId, log };
  return inTrace(correlationId, run, () => work(run));
}
