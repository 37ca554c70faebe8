import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { stackOf } from '../core/core-errors.ts';
import type { HostLog } from '../log.ts';
import { refuse } from './refusal.ts';

/** Answers a request whose path is not the host's own business to know. */
export type Endpoint = (path: string, request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface Endpoints {
  /** Paths below /admin. */
  readonly admin: Endpoint;
  /** Paths below /local. */
  readonly local: Endpoint;
  /** All others. */
  readonly functions: Endpoint;
}

export interface HttpServer {
  readonly baseUrl: string;
  /** Takes no new connections; those that wait for an answer stay. */
  stopListening(): void;
  /** Cuts what is left and waits until the port is free. */
  close(): Promise<void>;
}

// Kestrel's, in which the real host runs. Node's five seconds are short enough for a client to send its next request
// just when the connection is closed.
// https://learn.microsoft.com/dotnet/api/microsoft.aspnetcore.server.kestrel.core.kestrelserverlimits.keepalivetimeout
const KEEP_ALIVE_MS = 130_000;

/**
 * Listens on 127.0.0.1. The host's own paths go before any function's route.
 * @param port 0 for any free one
 */
export async function startHttpServer(port: number, endpoints: Endpoints, log: HostLog): Promise<HttpServer> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    dispatch(endpoints, request, response).catch((error: unknown) => {
      log.host('error', `The host failed on a request: ${stackOf(error)}`);
      if (!response.headersSent) refuse(request, response, 500);
      else response.destroy();
    });
  };
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, answer);
  // Without this Node asks for the body before anyone has looked at its length.
  server.on('checkContinue', answer);
  await listen(server, port);
  let closed: Promise<void> | undefined;
  const stopListening = () => {
    closed ??= new Promise((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
  };
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stopListening,
    close: async () => {
      stopListening();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function dispatch(
  endpoints: Endpoints,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? '';
  const hasGoodHost = /^[\w.:[\]-]+$/.test(request.headers.host ?? 'localhost');
  if (!target.startsWith('/') || !hasGoodHost) return refuse(request, response, 400);
  // Resolves `.` and `..`, which must not lead around the host's own paths.
  const path = new URL(`http://localhost${target}`).pathname;
  if (/^\/admin(\/|$)/i.test(path)) return await endpoints.admin(path, request, response);
  if (/^\/local(\/|$)/i.test(path)) return await endpoints.local(path, request, response);
  return await endpoints.functions(path, request, response);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const remedy =
        error.code === 'EADDRINUSE' ? 'another program listens there; choose another port' : error.message;
      reject(
        new Error(`The functions host cannot listen on 127.0.0.1:${port}: ${remedy}.`, { cause: error }),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}
