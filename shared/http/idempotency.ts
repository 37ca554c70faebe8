import type { HttpRequest } from '@azure/functions';
import { EverleafError } from '../domain/errors.ts';
import type { KeyedCall } from '../use-cases/keyed-request.ts';

const KEY = /^[A-Za-z0-9_-]{8,128}$/;

/**
 * The request's Idempotency-Key with what it stands for; null without one.
 * @param path the path with its parameters, after the host
 * @param body what was read from the body: two spellings of the same JSON are the same request
 * @throws EverleafError InvalidInput for a key of another form
 */
export function readKeyedCall(request: HttpRequest, path: string, body: unknown): KeyedCall | null {
  const key = request.headers.get('idempotency-key');
  if (key === null) return null;
  if (!KEY.test(key)) {
    throw new EverleafError('InvalidInput', 'An Idempotency-Key has 8 to 128 of A-Z, a-z, 0-9, "_" and "-".');
  }
  return { key, method: request.method, path, body: JSON.stringify(body) };
}
