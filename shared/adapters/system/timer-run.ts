import type { Run } from '../../use-cases/deps.ts';
import { type InvocationLogger, invocationLog } from './invocation-log.ts';

/** The run of a timer or queue invocation: nobody called, so the platform's invocation id ties its traces together. */
export function timerRun(context: InvocationLogger & { invocationId: string; functionName: string }): Run {
  return {
    actor: { kind: 'timer', id: context.functionName, source: null },
    correlationId: context.invocationId,
    log: invocationLog(context, context.invocationId),
  };
}
