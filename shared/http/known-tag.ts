import type { HttpRequest } from '@azure/functions';

/**
 * Whether If-None-Match names this entity tag, so that the caller holds the answer already. The comparison is weak
 * (RFC 9110, 13.1.2).
 * @param etag with its quotes
 */
export function isKnownTag(request: HttpRequest, etag: string): boolean {
  const known = request.headers.get('if-none-match')?.split(',') ?? [];
  return known.some((tag) => ['*', etag].includes(tag.trim().replace(/^W\//, '')));
}
