import type { HttpRequest } from '@azure/functions';
import type { z } from 'zod';
import { parseBody, readBody } from './body.ts';

/**
 * A JSON body where a request need not have one: without it, what the schema makes of an empty object. The bytes decide,
 * and not what the headers say of them: HTTP/2 has bodies without a length. A body that was announced and did not arrive is
 * no absent one.
 * @throws EverleafError as readJsonBody
 */
export async function readOptionalJsonBody<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<T> {
  const bytes = await readBody(request);
  const isAbsent = bytes.length === 0 && !request.headers.has('transfer-encoding');
  return isAbsent ? schema.parse({}) : parseBody(bytes, schema);
}
