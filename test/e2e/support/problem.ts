import assert from 'node:assert/strict';
import type { Problem } from '../../support/contract-shapes.ts';
import type { ApiAnswer } from '../../support/local-environment.ts';

/** Checks that an answer is a problem of RFC 9457 in the contract's form, and returns it. */
export function problem(answer: ApiAnswer<Problem>, status: number, code: string): Problem {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const found = answer.json;
  assert.equal(found.status, status);
  assert.equal(found.code, code);
  assert.equal(found.correlationId, answer.headers.get('x-correlation-id'));
  assert.equal(found.instance, `urn:uuid:${found.correlationId}`);
  for (const sentence of [found.title, found.detail]) assert.match(sentence, /^\w.{10,}/);
  return found;
}
