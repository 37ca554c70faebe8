/** What the operators' routes have in common. */
import { header, inPath, type Operation, type OperationFacts, operation, query } from './operation.ts';
import { count, ref } from './schema.ts';

export type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

export const limit = query('limit', 'Items of a page, 100 when it is left out.', {
  ...count,
  minimum: 1,
  maximum: 500,
});
export const cursor = query('cursor', 'nextCursor of the page before.');
export const cluster = inPath('cluster', 'Name of the cluster.');
export const name = inPath('name', 'Name of the identity; case does not matter.');
export const ifMatch = header('If-Match', 'The ETag of what is to be changed.');
export const idempotencyKey = header(
  'Idempotency-Key',
  'The same key, method, path and body get the first answer again instead of a second effect.',
);

/** A route of operators: a bearer token, or a proof of an identity whose rights allow it. */
export function forOperators(facts: Omit<OperationFacts, 'security'>): Operation {
  return operation({ ...facts, security: ['operator', 'proof'] });
}

export const answered = (text: string, schema: string, ...headers: string[]): OperationFacts['answers'] => ({
  200: { text, schema: ref(schema), headers },
});

/** The answer of what goes on when the request is over. */
export const accepted: OperationFacts['answers'] = {
  202: {
    text: 'The work has begun; look at the operation.',
    schema: ref('Operation'),
    headers: ['location', 'retry-after'],
  },
};
