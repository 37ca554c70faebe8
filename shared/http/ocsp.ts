import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import type { OcspAnswer } from '../use-cases/answer-ocsp.ts';
import { isKnownTag } from './known-tag.ts';

const OCSP_TYPE = 'application/ocsp-response';

/** What stands on the way may keep an answer so long: a revocation shows after that, although the answer would go on. */
const MOST_AGE_SECONDS = 3_600;

/**
 * The request in the path of a GET, base64 of DER (RFC 6960, A.1; RFC 5019, 5). Base64 has `/` and `+`, which a client escapes or
 * not, and a front end may take the escapes away: both are read.
 * @returns nothing for what is no base64: no request is
 */
export function requestInPath(url: string): Uint8Array {
  const { pathname } = new URL(url);
  const start = pathname.toLowerCase().indexOf('/ocsp/') + '/ocsp/'.length;
  const text = unescaped(pathname.slice(start));
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text)
    ? Uint8Array.from(Buffer.from(text, 'base64'))
    : new Uint8Array();
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** The answer to a POST. It is an HTTP success also when it is an OCSP error (RFC 6960, A.1), and nobody keeps it. */
export function ocspResponse({ der, retryAfterSeconds }: OcspAnswer): HttpResponseInit {
  return {
    body: der,
    headers: {
      'content-type': OCSP_TYPE,
      ...(retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
  };
}

/**
 * The answer to a GET: one that everybody gets may be kept on the way, with the headers of RFC 5019, 6.2.
 * @param etag names the bytes of the answer, with its quotes
 */
export function cacheableOcspResponse(
  request: HttpRequest,
  answer: OcspAnswer,
  etag: string,
  now: Date,
): HttpResponseInit {
  const { kept, der } = answer;
  if (kept === null) return ocspResponse(answer);
  const left = Math.floor((kept.freshUntil.getTime() - now.getTime()) / 1000);
  const maxAge = Math.max(0, Math.min(MOST_AGE_SECONDS, left));
  const headers = {
    'content-type': OCSP_TYPE,
    'cache-control': `max-age=${maxAge}, public, no-transform, must-revalidate`,
    etag,
    'last-modified': kept.thisUpdate.toUTCString(),
    expires: kept.nextUpdate.toUTCString(),
  };
  return isKnownTag(request, etag) ? { status: 304, headers } : { body: der, headers };
}
