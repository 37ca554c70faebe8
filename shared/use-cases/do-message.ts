import type { OperationMessage, WorkItem } from '../ports/work-queue.ts';
import { advanceOperation } from './advance-operation.ts';
import type { Deps, Run } from './deps.ts';
import { doWork } from './do-work.ts';

/**
 * Does what a message of the work queue asks for: one renewal, or a step of an operation.
 * @throws EverleafError when the queue should deliver the message again
 */
export function doMessage(deps: Deps, run: Run, message: WorkItem | OperationMessage): Promise<void> {
  return 'type' in message ? advanceOperation(deps, run, message.operationId) : doWork(deps, run, message);
}
