import { z } from 'zod';
import { EverleafError } from '../../domain/errors.ts';
import type { ListsMessage, OperationMessage, WorkItem } from '../../ports/work-queue.ts';

const schema = z.object({
  v: z.literal(1),
  identity: z.object({ cluster: z.string(), name: z.string() }),
  kind: z.enum(['certificate', 'token']),
  generation: z.int().min(0),
  operationId: z.string().exactOptional(),
}) satisfies z.ZodType<WorkItem>;

const operation = z.object({
  v: z.literal(1),
  type: z.literal('operation'),
  operationId: z.string(),
}) satisfies z.ZodType<OperationMessage>;

const lists = z.object({ v: z.literal(1), type: z.literal('publish-crl') }) satisfies z.ZodType<ListsMessage>;

/**
 * Reads a message of the work queue, as the host hands it over: parsed already when it is JSON.
 * @throws EverleafError UnknownRecordVersion or InvalidInput; the message ends up in the poison queue, untouched
 */
export function readWorkItem(message: unknown): WorkItem | OperationMessage | ListsMessage {
  const version = (message as { v?: unknown } | null)?.v;
  if (typeof version === 'number' && version !== 1) {
    throw new EverleafError(
      'UnknownRecordVersion',
      `A message has version ${version}: a later program sent it.`,
    );
  }
  const type = (message as { type?: unknown } | null)?.type;
  const expected = type === 'operation' ? operation : type === 'publish-crl' ? lists : schema;
  const result = expected.safeParse(message);
  if (result.success) return result.data;
  const places = result.error.issues.map(({ path }) => path.join('.')).join(', ');
  throw new EverleafError('InvalidInput', `A message of the work queue is not as expected at: ${places}.`);
}
