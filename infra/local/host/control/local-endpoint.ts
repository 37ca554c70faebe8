import type { IncomingMessage, ServerResponse } from 'node:http';
import { messageOf } from '../core/core-errors.ts';
import type { Endpoint } from '../http/http-server.ts';
import { parseIsoDuration } from './iso-duration.ts';
import { ProblemError, readJsonObject, sendJson, sendProblem } from './json-exchange.ts';

export interface LocalOptions {
  /** Moves the virtual time of the whole environment on by `ms`; done when every process has made the move. */
  readonly advance: (ms: number) => Promise<void>;
  readonly settle: () => Promise<void>;
}

// The last instant that a four-digit year can name; certificates and log lines have four digits.
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59);

/**
 * What only the local environment has, without credentials: `GET|POST /local/clock` and `POST /local/settle`.
 * Moves of the clock follow each other, never overlap.
 */
export function createLocalEndpoint(options: LocalOptions): Endpoint {
  let lastMove: Promise<unknown> = Promise.resolve();

  async function settleOrSayWhy(): Promise<void> {
    try {
      await options.settle();
    } catch (error) {
      throw new ProblemError(503, `It cannot be told whether all is idle: ${messageOf(error)}`);
    }
  }

  async function postClock(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readJsonObject(request, response);
    const { ms, settle } = parseMove(body);
    const move = lastMove.then(async () => {
      if (Date.now() + ms > LAST_INSTANT) {
        throw new ProblemError(400, `"advance" would lead beyond ${instant(LAST_INSTANT)}.`);
      }
      await options.advance(ms);
      if (settle) await settleOrSayWhy();
    });
    lastMove = move.catch(() => undefined);
    await move;
    sendJson(response, 200, { now: instant(Date.now()) });
  }

  return async (path, request, response) => {
    try {
      const action = `${request.method} ${path.toLowerCase().replace(/\/$/, '')}`;
      if (action === 'GET /local/clock') sendJson(response, 200, { now: instant(Date.now()) });
      else if (action === 'POST /local/clock') await postClock(request, response);
      else if (action === 'POST /local/settle') {
        await settleOrSayWhy();
        sendJson(response, 200, { now: instant(Date.now()) });
      } else throw refusal(path);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      sendProblem(response, error);
    }
  };
}

function parseMove(body: Record<string, unknown>): { ms: number; settle: boolean } {
  const { advance, settle = false } = body;
  if (typeof advance !== 'string') {
    throw new ProblemError(400, '"advance" must be an ISO 8601 duration such as "P60D".');
  }
  if (typeof settle !== 'boolean') throw new ProblemError(400, '"settle" must be true or false.');
  try {
    return { ms: parseIsoDuration(advance), settle };
  } catch (error) {
    throw new ProblemError(400, `"advance": ${(error as Error).message}`);
  }
}

function refusal(path: string): ProblemError {
  const allowed = new Map([
    ['/local/clock', 'GET, POST'],
    ['/local/settle', 'POST'],
  ]).get(path.toLowerCase().replace(/\/$/, ''));
  return allowed === undefined
    ? new ProblemError(404, `There is nothing at ${path}: try /local/clock or /local/settle.`)
    : new ProblemError(405, `${path} takes ${allowed}.`, { allow: allowed });
}

/** Whole seconds, rounded down. */
function instant(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
