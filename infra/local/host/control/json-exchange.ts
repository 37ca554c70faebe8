import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { BodyTooLargeError, discardRest, readBody } from '../http/request-body.ts';

// Nothing that the host's own paths take comes near it; a queue message has 64 KiB at most.
const BODY_LIMIT = 256 * 1024;

/** A refusal of the host's own paths, sent as RFC 9457 problem details. */
export class ProblemError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/**
 * Reads a JSON object.
 * @throws ProblemError 400 for anything else, 413 for too much of it
 */
export async function readJsonObject(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = (await readBody(request, response, BODY_LIMIT)).toString('utf8');
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    discardRest(request, response);
    throw new ProblemError(413, `The body is longer than ${BODY_LIMIT} bytes.`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ProblemError(400, 'The body is not JSON.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProblemError(400, 'The body must be a JSON object.');
  }
  return value as Record<string, unknown>;
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  send(response, status, 'application/json', value);
}

/** https://www.rfc-editor.org/rfc/rfc9457 */
export function sendProblem(response: ServerResponse, error: ProblemError): void {
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  send(response, error.status, 'application/problem+json', {
    type: 'about:blank',
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    detail: error.message,
  });
}

function send(response: ServerResponse, status: number, contentType: string, value: unknown): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': contentType, 'content-length': body.length }).end(body);
}
