import type { PublishedCrl } from '../domain/crl.ts';
import { HOUR_MS, SECOND_MS } from '../domain/instants.ts';

/** No cache keeps a list longer, so that a revocation is seen by then. */
const FRESH_MS = HOUR_MS;
/** Nor does one hand out a list that has no more left than this. */
const LEFT_MS = HOUR_MS;

/** What goes with a revocation list (RFC 5280, 4.2.1.13; the media type is that of RFC 2585, 4.2). */
export function crlHeaders({ sha256, thisUpdate, nextUpdate }: PublishedCrl, now: Date) {
  const left = nextUpdate.getTime() - now.getTime() - LEFT_MS;
  const maxAge = Math.floor(Math.max(0, Math.min(FRESH_MS, left)) / SECOND_MS);
  return {
    etag: `"${sha256}"`,
    'last-modified': thisUpdate.toUTCString(),
    'cache-control': maxAge === 0 ? 'no-cache' : `public, max-age=${maxAge}`,
    'content-type': 'application/pkix-crl',
  };
}
