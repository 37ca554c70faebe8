/**
 * Azurite's three servers inside this process. They are used as classes, not as the command line program, because of
 * the one thing that the program cannot do: end in such a way that everything it has acknowledged is on disk.
 * Azurite keeps its records in memory (LokiJS) and saves every 5 seconds what has changed; closing it while such a
 * save is on its way does not wait for it, and requests still running may be answered after the last save.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);

/** The parts of Azurite 3.37 that are used here (dist/src/common/ServerBase.js, no public types). */
export interface AzuriteServer {
  start(): Promise<void>;
  close(): Promise<void>;
  /** "http://127.0.0.1:<port>" */
  getHttpServerAddress(): string;
  readonly httpServer: Server;
  readonly metadataStore: { readonly db: Loki };
  readonly extentMetadataStore?: { readonly db: Loki };
}

interface Loki {
  saveDatabase(done: (error?: unknown) => void): void;
}

type ServerClass = new (configuration: object) => AzuriteServer;
type ConfigurationClass = new (...parameters: unknown[]) => object;

const HOST = '127.0.0.1';
const KEEP_ALIVE_SECONDS = 5;
// The trailing parameters that all three configurations share.
const QUIET = { accessLog: false, accessLogStream: undefined, debugLog: false, debugLogFile: undefined };
const LOOSE = false;
// The clients of today speak versions of the protocol that Azurite learns about later.
const SKIP_API_VERSION_CHECK = true;

/** Builds the blob server; port 0 = any free one. */
export function createBlobServer(directory: string, port: number): AzuriteServer {
  return withExtents('blob', 'Blob', directory, port);
}

/** Builds the queue server; port 0 = any free one. */
export function createQueueServer(directory: string, port: number): AzuriteServer {
  return withExtents('queue', 'Queue', directory, port);
}

function withExtents(
  service: 'blob' | 'queue',
  prefix: string,
  directory: string,
  port: number,
): AzuriteServer {
  const configuration = new (load<ConfigurationClass>(service, `${prefix}Configuration`))(
    HOST,
    port,
    KEEP_ALIVE_SECONDS,
    join(directory, `${service}.json`),
    join(directory, `${service}-extents.json`),
    [{ locationId: 'Default', locationPath: join(directory, `${service}-extents`), maxConcurrency: 50 }],
    QUIET.accessLog,
    QUIET.accessLogStream,
    QUIET.debugLog,
    QUIET.debugLogFile,
    LOOSE,
    SKIP_API_VERSION_CHECK,
  );
  return new (load<ServerClass>(service, `${prefix}Server`))(configuration);
}

/** Builds the table server; port 0 = any free one. */
export function createTableServer(directory: string, port: number): AzuriteServer {
  const configuration = new (load<ConfigurationClass>('table', 'TableConfiguration'))(
    HOST,
    port,
    KEEP_ALIVE_SECONDS,
    join(directory, 'table.json'),
    QUIET.debugLog,
    QUIET.accessLog,
    QUIET.accessLogStream,
    QUIET.debugLogFile,
    LOOSE,
    SKIP_API_VERSION_CHECK,
  );
  return new (load<ServerClass>('table', 'TableServer'))(configuration);
}

function load<Class>(service: string, file: string): Class {
  return (require(`azurite/dist/src/${service}/${file}.js`) as { default: Class }).default;
}

/**
 * Prepares a server (before its start) for closing in good order.
 * @returns how to close it: no new connection is taken, running requests are answered (for `graceMs` real milliseconds
 * at most, after that cut off unanswered), then everything is written to disk
 */
export function closeInOrder(server: AzuriteServer, graceMs: number): () => Promise<void> {
  const { httpServer } = server;
  let running = 0;
  let closing = false;
  let idle: (() => void) | undefined;
  httpServer.prependListener('request', (_request: IncomingMessage, response: ServerResponse) => {
    running++;
    if (closing) response.shouldKeepAlive = false;
    response.once('close', () => {
      running--;
      if (running === 0) idle?.();
    });
  });
  return async () => {
    closing = true;
    httpServer.close();
    httpServer.closeIdleConnections();
    if (running > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        idle = resolve;
        timer = setTimeout(resolve, graceMs);
      });
      clearTimeout(timer);
    }
    httpServer.closeAllConnections();
    // A save in its own right, queued by LokiJS behind one already on its way; close() alone would not wait for that.
    await save(server.metadataStore.db);
    if (server.extentMetadataStore !== undefined) await save(server.extentMetadataStore.db);
    await server.close();
  };
}

function save(database: Loki): Promise<void> {
  return new Promise((resolve, reject) => {
    database.saveDatabase((error) => (error ? reject(error) : resolve()));
  });
}
