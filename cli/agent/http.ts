/** A request to the server. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text; null for none. */
  readonly body: string | null;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends a request; rejects when there is no answer. */
export type Send = (request: HttpRequest) => Promise<HttpAnswer>;

/** What became of a request that was not answered with a success. */
export class Refused extends Error {
  readonly status: number;
  /** The server's code; null when it was no Everleaf that answered. */
  readonly code: string | null;
  readonly isRetryable: boolean;
  readonly retryAfterSeconds: number | null;
  /** The server's time, when it found ours too far from it. */
  readonly serverTime: Date | null;

  constructor(answer: HttpAnswer) {
    const problem = problemIn(answer);
    const code = typeof problem['code'] === 'string' ? problem['code'] : null;
    const detail = typeof problem['detail'] === 'string' ? `: ${problem['detail']}` : '';
    super(`The server answers ${answer.status}${code === null ? '' : ` ${code}`}${detail}`);
    this.status = answer.status;
    this.code = code;
    // What is no problem of Everleaf's comes from something in between, and says nothing about our credentials.
    this.isRetryable =
      code === null || answer.status === 429 || answer.status >= 500 || problem['retryable'] === true;
    this.retryAfterSeconds = secondsIn(answer.headers['retry-after']);
    this.serverTime = dateIn(problem['serverTime']);
  }
}

/** A success whose content is not as agreed. */
export class BadAnswer extends Error {}

const TIMEOUT_MS = 60_000;

/** HTTP by the platform's fetch. Redirects are not followed: a token goes where it was meant to go, or nowhere. */
export const sendByFetch: Send = async ({ method, url, headers, body }) => {
  const response = await fetch(url, {
    method,
    headers,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(body === null ? {} : { body }),
  });
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    text: await response.text(),
  };
};

/**
 * The JSON object of a success.
 * @throws Refused for any other status
 * @throws BadAnswer when it is not a JSON object
 */
export function jsonOf(answer: HttpAnswer): Record<string, unknown> {
  if (answer.status !== 200) throw new Refused(answer);
  const value = parsed(answer.text);
  if (typeof value !== 'object' || value === null) throw new BadAnswer('The answer is not a JSON object.');
  return value as Record<string, unknown>;
}

/**
 * The base URL of a server, without a slash at its end.
 * @throws TypeError when it is no URL, or plain http to another machine: a token would be readable on the way
 */
export function serverUrl(text: string): string {
  const url = new URL(text);
  const isLoopback = /^(?:127(?:\.\d+){3}|\[::1\]|localhost)$/.test(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback)) {
    throw new TypeError(`${url.origin} is not https.`);
  }
  return (url.origin + url.pathname).replace(/\/+$/, '');
}

function problemIn({ headers, text }: HttpAnswer): Record<string, unknown> {
  if (!headers['content-type']?.startsWith('application/problem+json')) return {};
  const value = parsed(text);
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Retry-After in its form of seconds (RFC 9110, 10.2.3), which is the one that Everleaf and Azure's front ends send. */
function secondsIn(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) : null;
}

export function dateIn(value: unknown): Date | null {
  const date = typeof value === 'string' ? new Date(value) : null;
  return date === null || Number.isNaN(date.getTime()) ? null : date;
}
