import type { IncomingMessage, ServerResponse } from 'node:http';
import { discardRest } from './request-body.ts';

/** The real host's own answers have no body. */
export function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  response.statusCode = status;
  if (status !== 204) response.setHeader('content-length', 0);
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && !request.complete) discardRest(request, response);
  response.end();
}
