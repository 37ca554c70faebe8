import type { HttpRequest } from '@azure/functions';
import type { z } from 'zod';
import { readJsonBody } from './body.ts';

/**
 * A JSON body where a request need not have one: without it, what the schema makes of an empty object. Any sign of a
 * body counts as one, so that nothing that was sent is passed over.
 * @throws EverleafError as readJsonBody
 */
export async function readOptionalJsonBody<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<T> {
  const length = request.headers.get('content-length');
  const isAbsent = (length === null || length === '0') && !request.headers.has('transfer-encoding');
  return isAbsent ? schema.parse({}) : readJsonBody(request, schema);
}
