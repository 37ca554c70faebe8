import type { ListsMessage, OperationMessage, WorkItem } from '../ports/work-queue.ts';
import { advanceOperation } from './advance-operation.ts';
import type { Deps, Run } from './deps.ts';
import { doWork } from './do-work.ts';
import { publishAtOnce } from './publish-crl.ts';

/**
 * Does what a message of the work queue asks for: one renewal, a step of an operation, or a look at the revocation lists.
 * @throws EverleafError when the queue should deliver the message again
 */
export function doMessage(
  deps: Deps,
  run: Run,
  message: WorkItem | OperationMessage | ListsMessage,
): Promise<void> {
  if (!('type' in message)) return doWork(deps, run, message);
  return message.type === 'operation'
    ? advanceOperation(deps, run, message.operationId)
    : publishAtOnce(deps, run);
}
