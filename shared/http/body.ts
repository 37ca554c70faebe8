import type { HttpRequest } from '@azure/functions';
import type { z } from 'zod';
import { EverleafError } from '../domain/errors.ts';

/** No request of the contract comes near this; what is larger is not read. */
const MOST_BYTES = 64 * 1024;

/**
 * Reads a JSON body of a known shape: size first, then JSON, then the shape.
 * @throws EverleafError PayloadTooLarge; InvalidInput, which names the place of the first mistake
 */
export async function readJsonBody<T>(request: HttpRequest, schema: z.ZodType<T>): Promise<T> {
  return parseBody(await readBody(request), schema);
}

/**
 * The bytes of a body, as a proof speaks of them.
 * @throws EverleafError PayloadTooLarge
 */
export async function readBody(request: HttpRequest): Promise<Uint8Array> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  const bytes = declared > MOST_BYTES ? null : new Uint8Array(await request.arrayBuffer());
  if (bytes === null || bytes.length > MOST_BYTES) {
    throw new EverleafError('PayloadTooLarge', `The body is larger than ${MOST_BYTES} bytes.`);
  }
  return bytes;
}

/** How the fields of the contract are spelled. */
const FIELD_NAME = /^[A-Za-z][A-Za-z0-9]{0,31}$/;

/**
 * What the bytes of a body say, of a known shape.
 * @throws EverleafError InvalidInput, which names the place of the first mistake
 */
export function parseBody<T>(bytes: Uint8Array, schema: z.ZodType<T>): T {
  const result = schema.safeParse(parseJson(bytes));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const pointer = (issue?.path ?? []).map(
    (part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`,
  );
  throw new EverleafError(
    'InvalidInput',
    `The body is not as expected at "${pointer.join('')}": ${issue === undefined ? '' : sentenceOf(issue)}.`,
    {
      details: { pointer: pointer.join('') },
    },
  );
}

/** What somebody has put where a name belongs may be a token: only what looks like a name is said again. */
function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message;
  const named = issue.keys.filter((key) => FIELD_NAME.test(key));
  return named.length === issue.keys.length ? issue.message : 'it has a field that is not known';
}

function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length === 0) {
    throw new EverleafError(
      'InvalidInput',
      'The body is empty. Send JSON with a Content-Length: a chunked body does not arrive here.',
    );
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new EverleafError('InvalidInput', 'The body is not JSON in UTF-8.');
  }
}
