import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RunFunction } from '../function-runner.ts';
import type { HostLog } from '../log.ts';
import { toHttpData } from './http-request-data.ts';
import { writeHttpData } from './http-response-data.ts';
import { hasMasterKey } from './master-key.ts';
import { BodyAbortedError, BodyTooLargeError, discardRest, readBody } from './request-body.ts';
import type { Router } from './routing/router.ts';

export interface FunctionEndpointOptions {
  readonly router: Router;
  readonly run: RunFunction;
  readonly masterKey: string;
  /** FUNCTIONS_REQUEST_BODY_SIZE_LIMIT, in bytes. */
  readonly bodyLimit: number;
  readonly log: HostLog;
}

/** Answers a request by the function whose route it matches. */
export async function answerByFunction(
  options: FunctionEndpointOptions,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { router, run, masterKey, bodyLimit, log } = options;
  const match = router(request.method ?? '', path);
  if (match === undefined) return refuse(request, response, 404);
  const { target, params } = match;
  if (target.authLevel !== 'anonymous' && !hasMasterKey(request, masterKey))
    return refuse(request, response, 401);

  let body: Buffer;
  try {
    body = await readBody(request, response, bodyLimit);
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      log.function('warning', target.name, `Refused a body of more than ${bodyLimit} bytes with 413.`);
      return refuse(request, response, 413);
    }
    if (error instanceof BodyAbortedError) return;
    throw error;
  }
  // The real worker sees no body without a Content-Length unless HTTP streams are on (issue 524 of
  // azure-functions-nodejs-worker): an app that works here must not fail there.
  const isChunked = request.headers['content-length'] === undefined;
  const data = toHttpData(request, params, isChunked ? Buffer.alloc(0) : body);
  const outcome = await run(
    target,
    {
      binding: target.binding,
      data: { http: data },
      traceParent: request.headersDistinct['traceparent']?.[0],
    },
    'This function was programmatically called via the host APIs.',
    'request',
  );
  if (!outcome.succeeded) return refuse(request, response, 500);
  if (outcome.returnValue?.http == null) return refuse(request, response, 204);
  writeHttpData(response, outcome.returnValue.http);
}

/** The real host's own answers have no body. */
export function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  response.statusCode = status;
  if (status !== 204) response.setHeader('content-length', 0);
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody && !request.complete) discardRest(request, response);
  response.end();
}
