import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import { EverleafError } from '../domain/errors.ts';
import type { Stored } from '../ports/identity-store.ts';
import { etagHeader } from './etag.ts';

/** Unknown fields are refused: a mistyped `notActions` would give rights away. */
export const roleBody = z.strictObject({
  name: z.string().optional(),
  actions: z.array(z.string()),
  notActions: z.array(z.string()).default([]),
  assignableScopes: z.array(z.string()),
  builtIn: z.literal(false).optional(),
});

export const assignmentBody = z.strictObject({
  id: z.string().optional(),
  roleName: z.string(),
  scope: z.string(),
  principal: z.discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('identity'),
      cluster: z.string(),
      name: z.string(),
      // As an answer has it, so that one can be sent back.
      incarnation: z.int().optional(),
    }),
    z.strictObject({ kind: z.literal('operator'), id: z.string() }),
  ]),
});

export const accessCheckBody = z.strictObject({
  certificate: z.string().optional(),
  identity: z.strictObject({ cluster: z.string(), name: z.string() }).optional(),
  action: z.string(),
  scope: z.string(),
});

/**
 * The name that a PUT is about: of the path where it has one, else of the body; one in both is the same.
 * @throws EverleafError InvalidInput
 */
export function nameOf(field: string, inPath: string | undefined, inBody: string | undefined): string {
  const name = inPath ?? inBody;
  if (name === undefined || (inBody !== undefined && inBody.toLowerCase() !== name.toLowerCase())) {
    const problem = name === undefined ? 'is missing' : 'is not that of the path';
    throw new EverleafError('InvalidInput', `The ${field} in the body ${problem}.`, {
      details: { pointer: `/${field}` },
    });
  }
  return name;
}

/** A thing with its ETag. */
export function answerStored({ value, etag }: Stored<unknown>): HttpResponseInit {
  return { jsonBody: value, headers: { etag: etagHeader(etag) } };
}

/** The answer to a PUT: 201 with the place of a new thing, 200 for one that was replaced. */
export function answerPut(
  stored: Stored<unknown> & { readonly isNew: boolean },
  path: string,
): HttpResponseInit {
  const answer = answerStored(stored);
  if (!stored.isNew) return answer;
  return { ...answer, status: 201, headers: { ...answer.headers, location: path } };
}

/** A page of a list that is read as a whole; a cursor is a position in it. */
export function answerPage(items: readonly unknown[], offset: number, limit: number): HttpResponseInit {
  const end = offset + limit;
  const nextCursor = end < items.length ? String(end) : null;
  return { jsonBody: { items: items.slice(offset, end), nextCursor } };
}
