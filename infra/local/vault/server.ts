import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { badParameter, ConnectionDropped, VaultError } from './errors.ts';
import type { VaultRequest, VaultResponse } from './request.ts';

/** Larger than anything a vault takes (a secret of 25 KB, a chain of certificates). */
const MAX_BODY_OCTETS = 256 * 1024;
/** A backup holds up to 501 versions. */
const MAX_BACKUP_OCTETS = 32 * 1024 * 1024;

export interface Listening {
  /** `http://127.0.0.1:<port>`, without a trailing slash. */
  readonly url: string;
  /** Takes no more connections, lets what is running finish, then closes what is left. */
  close(): Promise<void>;
}

/** A request as the server reads it. */
export interface Exchange extends Omit<VaultRequest, 'vault' | 'operation'> {
  /** The value of the Content-Type header, empty when there is none. */
  readonly contentType: string;
}

export type Answer = (exchange: Exchange) => Promise<VaultResponse>;

/**
 * HTTP on the loopback address only: reads a request, has it answered, writes the answer.
 * @param port 0 for any free one
 * @throws Error when the port is taken
 */
export async function listen(port: number, answer: Answer): Promise<Listening> {
  const running = new Set<Promise<void>>();
  const server = createServer((request, response) => {
    const exchange = handle(request, response, answer).finally(() => running.delete(exchange));
    running.add(exchange);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: chosen } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${chosen}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.allSettled(running);
      server.closeAllConnections();
      await closed;
    },
  };
}

async function handle(message: IncomingMessage, response: ServerResponse, answer: Answer): Promise<void> {
  let result: VaultResponse;
  try {
    const url = new URL(message.url ?? '/', 'http://vault.invalid');
    result = await answer({
      method: message.method ?? 'GET',
      segments: decodeSegments(url.pathname),
      query: url.searchParams,
      authorization: message.headers.authorization ?? null,
      contentType: message.headers['content-type'] ?? '',
      client: {
        address: message.socket.remoteAddress ?? '',
        userAgent: message.headers['user-agent'] ?? '',
        requestId: headerText(message, 'x-ms-client-request-id'),
      },
      body: await readText(message, url.pathname.endsWith('/restore') ? MAX_BACKUP_OCTETS : MAX_BODY_OCTETS),
    });
  } catch (error) {
    // A caller that went away in the middle of its request waits for no answer.
    if (message.destroyed && !message.complete) return;
    if (error instanceof ConnectionDropped) {
      message.socket.destroy();
      return;
    }
    result = errorResponse(error);
  }
  const clientRequestId = headerText(message, 'x-ms-client-request-id');
  const text = result.body === undefined ? '' : JSON.stringify(result.body);
  response.writeHead(result.status, {
    ...(text === '' ? {} : { 'Content-Type': 'application/json; charset=utf-8' }),
    ...(result.status === 204 ? {} : { 'Content-Length': Buffer.byteLength(text) }),
    'Cache-Control': 'no-cache',
    'x-ms-request-id': randomUUID(),
    ...(clientRequestId === '' ? {} : { 'x-ms-client-request-id': clientRequestId }),
    ...result.headers,
  });
  response.end(text);
}

function headerText(message: IncomingMessage, name: string): string {
  const value = message.headers[name];
  return typeof value === 'string' ? value : '';
}

/** A trailing slash, that is an empty last segment, asks for the latest version: it is dropped here. */
function decodeSegments(path: string): string[] {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    throw badParameter('The request URI is not valid: a percent sign must begin an escape.');
  }
}

/** The body is read to its end even when it is too long: a caller that still sends does not read the answer. */
async function readText(message: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length <= limit) chunks.push(chunk);
  }
  if (length > limit) {
    throw new VaultError(413, 'RequestEntityTooLarge', `The body is longer than ${limit} octets.`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function errorResponse(error: unknown): VaultResponse {
  if (error instanceof VaultError) {
    return { status: error.status, body: error.toBody(), headers: error.headers };
  }
  // A defect of the stand-in: the developer needs the stack, the caller a status that the SDKs retry.
  console.error(error);
  return {
    status: 500,
    body: {
      error: { code: 'InternalServerError', message: 'The Key Vault stand-in failed; see its output.' },
    },
  };
}
