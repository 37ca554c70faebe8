/**
 * `/local/clock` and `/local/settle` of an environment without a functions host of its own. The host's README tells what they
 * are elsewhere.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseIsoDuration } from '../host/control/iso-duration.ts';
import { ProblemError, readJsonObject, sendJson, sendProblem } from '../host/control/json-exchange.ts';

export interface ClockServer {
  /** Without a slash at its end. */
  readonly baseUrl: string;
  /** Takes no more requests and cuts the connections. */
  close(): void;
}

const NO_SETTLE =
  'Only a functions host knows whether its timers and queues are idle, and this environment (`npm run services`) has none. ' +
  'Move the clock without "settle" and ask the host you run, or use `npm start`.';

const METHODS: Readonly<Record<string, string>> = { '/local/clock': 'GET, POST', '/local/settle': 'POST' };

/**
 * Listens on 127.0.0.1.
 * @param advance moves the time of the whole environment on; resolves when every process that is known has made the move
 */
export async function startClockServer(
  port: number,
  advance: (ms: number) => Promise<unknown>,
): Promise<ClockServer> {
  const server = createServer((request, response) => {
    answer(request, response, advance).catch((error: unknown) => sendProblem(response, problemOf(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    baseUrl: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  advance: (ms: number) => Promise<unknown>,
): Promise<void> {
  const path = (request.url ?? '').split('?')[0]?.toLowerCase().replace(/\/$/, '') ?? '';
  const allowed = METHODS[path];
  if (allowed === undefined) throw new ProblemError(404, 'There are /local/clock and /local/settle here.');
  if (!allowed.split(', ').includes(request.method ?? '')) {
    throw new ProblemError(405, `${path} takes ${allowed}.`, { allow: allowed });
  }
  if (path === '/local/settle') throw new ProblemError(501, NO_SETTLE);
  if (request.method === 'POST') await advance(moveIn(await readJsonObject(request, response)));
  sendJson(response, 200, { now: `${new Date().toISOString().slice(0, 19)}Z` });
}

/** The milliseconds of `{ "advance": "P60D" }`. */
function moveIn({ advance, settle = false }: Record<string, unknown>): number {
  if (typeof advance !== 'string') {
    throw new ProblemError(400, '"advance" must be an ISO 8601 duration such as "P60D".');
  }
  if (typeof settle !== 'boolean') throw new ProblemError(400, '"settle" must be true or false.');
  // Before anything moves: a caller who gets a refusal must be able to repeat the request.
  if (settle) throw new ProblemError(501, NO_SETTLE);
  return parseIsoDuration(advance);
}

function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof RangeError) return new ProblemError(400, `"advance": ${message}`);
  return new ProblemError(503, `The clock cannot be moved: ${message}`);
}
