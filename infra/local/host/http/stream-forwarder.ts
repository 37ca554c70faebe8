import {
  type ClientRequest,
  type IncomingMessage,
  request as openRequest,
  type ServerResponse,
} from 'node:http';
import { pipeline } from 'node:stream/promises';
import { headersOf } from './http-request-data.ts';
import { refuse } from './refusal.ts';
import { BodyTooLargeError, limitBody } from './request-body.ts';

// What belongs to one connection is not passed on (RFC 9110 section 7.6.1).
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

// DefaultHttpProxyService.cs: how long nothing may move in either direction.
const ACTIVITY_TIMEOUT_MS = 240_000;

/** How a forwarding ended; `failed` with what a log line should say. */
export type Forwarding =
  | { readonly how: 'answered' | 'clientGone' }
  | { readonly how: 'failed'; why: string };

export interface ForwardOptions {
  /** The address of the library's own HTTP server. */
  readonly httpUri: string;
  readonly invocationId: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** In bytes. */
  readonly bodyLimit: number;
}

/**
 * Passes a request on to the library's HTTP server and its answer back, both as streams, as the real host does when
 * the app asked for them (src/WebJobs.Script/Http/DefaultHttpProxyService.cs in azure-functions-host). The id tells the
 * library which invocation the request belongs to. A function that throws or answers nothing leaves its request open
 * (issue 324 of azure-functions-nodejs-library), so the caller hears nothing until 504 after four minutes.
 */
export async function forwardRequest(options: ForwardOptions): Promise<Forwarding> {
  const { request, response, bodyLimit } = options;
  // A request that fails lets go of it.
  const { socket } = request;
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  const upstream = openUpstream(options);
  // Whatever becomes of the caller, the library must have the request first: its invocation waits for it.
  const isConnected = new Promise<void>((resolve) => {
    upstream.once('socket', (connection) => connection.once('connect', resolve));
  });
  response.once('close', () => {
    if (!response.writableFinished) void isConnected.then(() => setImmediate(() => upstream.destroy()));
  });
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    upstream.once('response', resolve);
    upstream.once('error', reject);
    upstream.setTimeout(ACTIVITY_TIMEOUT_MS, () => upstream.destroy(new ActivityTimeoutError()));
  });
  // The answer may be there before the body is through; then the body's fate decides nothing any more.
  const sent = isConnected.then(() => pipeline(request, limitBody(bodyLimit), upstream)).then(() => answer);
  try {
    const received = await Promise.race([answer, sent]);
    writeHead(received, response);
    await pipeline(received, response);
    return { how: 'answered' };
  } catch (error) {
    upstream.destroy();
    if (socket.destroyed) return { how: 'clientGone' };
    if (response.headersSent) response.destroy();
    else refuse(request, response, statusOf(error));
    return { how: 'failed', why: (error as Error).message };
  } finally {
    sent.catch(() => undefined);
    answer.catch(() => undefined);
  }
}

class ActivityTimeoutError extends Error {
  override message = 'Failed to proxy request with ForwarderError: RequestTimedOut';
}

function statusOf(error: unknown): number {
  if (error instanceof BodyTooLargeError) return 413;
  return error instanceof ActivityTimeoutError ? 504 : 502;
}

function openUpstream({ httpUri, invocationId, request }: ForwardOptions): ClientRequest {
  const { hostname, port } = new URL(httpUri);
  const headers = Object.entries(headersOf(request)).filter(
    ([name]) => !HOP_BY_HOP.has(name) && name !== 'host' && name !== 'expect',
  );
  const upstream = openRequest({
    hostname,
    port,
    path: request.url,
    method: request.method,
    agent: false,
    headers: {
      ...Object.fromEntries(headers),
      'x-forwarded-host': request.headers.host ?? 'localhost',
      'x-forwarded-proto': 'http',
      'x-ms-invocation-id': invocationId,
    },
  });
  upstream.flushHeaders();
  return upstream;
}

function writeHead(received: IncomingMessage, response: ServerResponse): void {
  response.statusCode = received.statusCode ?? 200;
  for (const [name, values] of Object.entries(received.headersDistinct)) {
    if (!HOP_BY_HOP.has(name) && values !== undefined) response.setHeader(name, values);
  }
  response.flushHeaders();
}
