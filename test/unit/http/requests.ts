import functions, { type HttpRequest } from '@azure/functions';

/** A request as the Functions library hands it to a handler. */
export function httpRequest(
  options: {
    query?: Record<string, string>;
    headers?: Record<string, string>;
    body?: string | Uint8Array;
  } = {},
): HttpRequest {
  const { query = {}, headers = {}, body } = options;
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return new functions.HttpRequest({
    method: body === undefined ? 'GET' : 'POST',
    url: 'http://127.0.0.1/api/test',
    query,
    headers,
    ...(bytes === undefined ? {} : { body: { bytes } }),
  });
}
