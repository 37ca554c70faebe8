import type { IncomingMessage, ServerResponse } from 'node:http';
import { newInvocationId } from '../core/invocation.ts';
import type { RunFunction } from '../function-runner.ts';
import type { HostLog } from '../log.ts';
import type { HttpFunction } from '../triggers.ts';
import { toHttpData, toHttpMetadata } from './http-request-data.ts';
import { writeHttpData } from './http-response-data.ts';
import { hasMasterKey } from './master-key.ts';
import { refuse } from './refusal.ts';
import { BodyAbortedError, BodyTooLargeError, readBody } from './request-body.ts';
import type { RouteMatch, Router } from './routing/router.ts';
import { forwardRequest } from './stream-forwarder.ts';

export interface FunctionEndpointOptions {
  readonly router: Router;
  readonly run: RunFunction;
  readonly masterKey: string;
  /** FUNCTIONS_REQUEST_BODY_SIZE_LIMIT, in bytes. */
  readonly bodyLimit: number;
  /** Where the library takes requests when the app asked for HTTP streams. */
  readonly httpUri: string | undefined;
  readonly log: HostLog;
}

// The real host's words.
const REASON = 'This function was programmatically called via the host APIs.';

/** Answers a request by the function whose route it matches. */
export async function answerByFunction(
  options: FunctionEndpointOptions,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { router, masterKey, bodyLimit, log } = options;
  const match = router(request.method ?? '', path);
  if (match === undefined) return refuse(request, response, 404);
  const { target } = match;
  if (target.authLevel !== 'anonymous' && !hasMasterKey(request, masterKey))
    return refuse(request, response, 401);

  const refuseBody = () => {
    log.function('warning', target.name, `Refused a body of more than ${bodyLimit} bytes with 413.`);
    refuse(request, response, 413);
  };
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) return refuseBody();
  if (options.httpUri !== undefined) {
    return await answerByStreams(options, options.httpUri, match, request, response);
  }
  try {
    await answerByMessages(options, match, request, response);
  } catch (error) {
    if (error instanceof BodyTooLargeError) return refuseBody();
    if (!(error instanceof BodyAbortedError)) throw error;
  }
}

/** @throws BodyTooLargeError, BodyAbortedError */
async function answerByMessages(
  { run, bodyLimit }: FunctionEndpointOptions,
  { target, params }: RouteMatch,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request, response, bodyLimit);
  // The real worker sees no body without a Content-Length unless HTTP streams are on (issue 524 of
  // azure-functions-nodejs-worker): an app that works here must not fail there.
  const isChunked = request.headers['content-length'] === undefined;
  const data = toHttpData(request, params, isChunked ? Buffer.alloc(0) : body);
  const input = { ...commonInput(target, request), data: { http: data } };
  const outcome = await run(target, input, REASON, 'request');
  if (!outcome.succeeded) return refuse(request, response, 500);
  if (outcome.returnValue?.http == null) return refuse(request, response, 204);
  writeHttpData(response, outcome.returnValue.http);
}

/** The invocation tells how it ended to the log only; what the caller gets comes by the stream. */
async function answerByStreams(
  { run, bodyLimit, log }: FunctionEndpointOptions,
  httpUri: string,
  { target, params }: RouteMatch,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const invocationId = newInvocationId();
  const forwarding = forwardRequest({ httpUri, invocationId, request, response, bodyLimit });
  const input = {
    ...commonInput(target, request),
    invocationId,
    data: { http: {} },
    metadata: toHttpMetadata(request, params),
  };
  const [ended] = await Promise.all([forwarding, run(target, input, REASON, 'request')]);
  if (ended.how === 'clientGone') {
    const words = 'The client disconnected while the function was processing the request.';
    log.function('information', target.name, words);
  } else if (ended.how === 'failed') log.function('error', target.name, ended.why);
}

function commonInput(target: HttpFunction, request: IncomingMessage) {
  return { binding: target.binding, traceParent: request.headersDistinct['traceparent']?.[0] };
}
