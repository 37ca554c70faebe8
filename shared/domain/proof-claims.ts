import { MINUTE_MS, SECOND_MS } from './instants.ts';

/** How far the clock of whoever proves something may be off, either way. */
export const PROOF_TOLERANCE_MS = 5 * MINUTE_MS;
const JTI_CHARACTERS = 128;

/** What a proof must say to count for one request. */
export interface ExpectedClaims {
  readonly method: string;
  /** The public base URL and the path, without a query. */
  readonly url: string;
  /** base64url of the SHA-256 of the body's bytes; null for a request that has none. */
  readonly bodyHash: string | null;
}

/** What tells a proof from every other one of the same key. */
export interface ProofId {
  readonly jti: string;
  readonly madeAt: Date;
}

/** What is wrong with a proof's claims, as a word for logs and tests. */
export type ClaimDefect = 'wrong-method' | 'wrong-url' | 'stale' | 'no-id' | 'wrong-body';

/**
 * Compares a proof's claims with the request that they came with: `htm` and `htu` as DPoP has them (RFC 9449, 4.2),
 * `iat` within five minutes of now, an id in `jti`, and `body`, so that a proof is good for one content alone.
 * @returns the first defect, or null
 */
export function findClaimDefect(
  claims: Readonly<Record<string, unknown>>,
  expected: ExpectedClaims,
  now: Date,
): ClaimDefect | null {
  if (claims['htm'] !== expected.method) return 'wrong-method';
  if (claims['htu'] !== expected.url) return 'wrong-url';
  if (expected.bodyHash !== null && claims['body'] !== expected.bodyHash) return 'wrong-body';
  const { jti, iat } = claims;
  if (typeof jti !== 'string' || jti.length === 0 || jti.length > JTI_CHARACTERS) return 'no-id';
  const isFresh = typeof iat === 'number' && Math.abs(now.getTime() - iat * SECOND_MS) <= PROOF_TOLERANCE_MS;
  return isFresh ? null : 'stale';
}

/** The id of a proof in whose claims nothing is wrong. */
export function proofId(claims: Readonly<Record<string, unknown>>): ProofId {
  return { jti: String(claims['jti']), madeAt: new Date(Number(claims['iat']) * SECOND_MS) };
}
