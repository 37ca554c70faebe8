import type { ServerResponse } from 'node:http';
import type { HttpCookie, HttpData } from '../core/core-types.ts';

// What belongs to the connection is the server's to say, not the function's.
const CONNECTION_HEADERS = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/**
 * Writes what a function answered; the library has turned it into bytes already.
 * @throws Error for a cookie that ASP.NET Core does not take, before anything is written
 */
export function writeHttpData(response: ServerResponse, data: HttpData): void {
  const cookies = (data.cookies ?? []).map(toSetCookie);
  const body = data.body?.bytes ?? (data.body?.string != null ? Buffer.from(data.body.string) : undefined);
  response.statusCode = Number(data.statusCode ?? 200);
  for (const [name, value] of Object.entries(data.headers ?? {})) {
    if (!CONNECTION_HEADERS.has(name)) response.setHeader(name, value);
  }
  if (cookies.length > 0) response.appendHeader('set-cookie', cookies);
  if (![204, 205, 304].includes(response.statusCode)) response.setHeader('content-length', body?.length ?? 0);
  response.end(body);
}

const SAME_SITE = { lax: 'lax', strict: 'strict', explicitNone: 'none', none: undefined };

// RFC 9110 section 5.6.2.
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

/** RFC 6265 section 4.1 as ASP.NET Core writes it: the value percent-encoded, path / unless told otherwise. */
function toSetCookie(cookie: HttpCookie): string {
  if (!TOKEN.test(cookie.name ?? '')) throw new Error(`Invalid cookie name: "${cookie.name ?? ''}"`);
  const seconds = cookie.expires?.value?.seconds;
  const sameSite = SAME_SITE[cookie.sameSite ?? 'none'];
  return [
    `${cookie.name ?? ''}=${escapeData(cookie.value ?? '')}`,
    ...(seconds === undefined ? [] : [`expires=${new Date(seconds * 1000).toUTCString()}`]),
    ...(cookie.maxAge?.value === undefined ? [] : [`max-age=${Math.trunc(cookie.maxAge.value)}`]),
    ...(cookie.domain?.value === undefined ? [] : [`domain=${cookie.domain.value}`]),
    `path=${cookie.path?.value ?? '/'}`,
    ...(cookie.secure?.value === true ? ['secure'] : []),
    ...(sameSite === undefined ? [] : [`samesite=${sameSite}`]),
    ...(cookie.httpOnly?.value === true ? ['httponly'] : []),
  ].join('; ');
}

/** .NET's Uri.EscapeDataString: everything but RFC 3986's unreserved characters. */
function escapeData(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
