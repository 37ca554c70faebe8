import type { HttpRequest } from '@azure/functions';
import { fromBase64Url, toBase64Url } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import type { IfMatch } from '../use-cases/if-match.ts';

/** One entity tag of a list (RFC 9110, 8.8.3): weak ones are read too, and match nothing (13.1.1). */
const TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

/**
 * The ETag header of a stored thing. The store's own etag is a weak one with quotes and colons in it; what leaves
 * here is strong, opaque, and yields it again.
 * @param etag the store's etag; ASCII
 */
export function etagHeader(etag: string): string {
  return `"${toBase64Url(Uint8Array.from(etag, (character) => character.charCodeAt(0)))}"`;
}

/**
 * What the request's If-Match expects, in the store's own etags; null without the header. A tag that was not made by
 * `etagHeader` matches nothing.
 * @throws EverleafError InvalidInput when the header has no form of RFC 9110
 */
export function readIfMatch(request: HttpRequest): IfMatch {
  const header = request.headers.get('if-match');
  if (header === null) return null;
  if (header.trim() === '*') return 'any';
  return header.split(',').flatMap((text) => {
    const match = TAG.exec(text.trim());
    if (match === null) {
      throw new EverleafError('InvalidInput', 'If-Match is "*" or a list of quoted entity tags.');
    }
    const [, weak, opaque = ''] = match;
    const bytes = weak === undefined ? fromBase64Url(opaque) : null;
    return bytes === null || bytes.length === 0 ? [] : [String.fromCharCode(...bytes)];
  });
}
