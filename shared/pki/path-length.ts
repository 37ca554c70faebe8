import type { ParsedCertificate } from './certificate.ts';

/**
 * How many more authorities may stand below the first certificate of a path (RFC 5280 section 4.2.1.9). Infinity when
 * no certificate of the path limits it; negative when the path itself is too long already.
 * @param path an authority's certificate, then its issuers, up to the root
 */
export function roomBelow(path: readonly ParsedCertificate[]): number {
  const rooms = path.map(
    ({ basicConstraints }, above) => (basicConstraints?.pathLength ?? Number.POSITIVE_INFINITY) - above,
  );
  return Math.min(...rooms);
}
