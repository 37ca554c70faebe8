import { crc32, fromBase64Url, toBase64Url } from './encoding.ts';
import { addMs, SECOND_MS, wholeSecond } from './instants.ts';
import type { IdentityId } from './names.ts';
import { renewalWindow } from './policy.ts';
import { Secret } from './secret.ts';

/**
 * A token logs an identity in. Its text is `elt1_` and the base64url of: token id (16 bytes, of which the first
 * tells the shard of the record), secret (32 bytes), CRC-32 of both.
 */
const PREFIX = 'elt1_';
export const TOKEN_ID_BYTES = 16;
export const TOKEN_SECRET_BYTES = 32;
const CHECKSUM_BYTES = 4;
const BODY_BYTES = TOKEN_ID_BYTES + TOKEN_SECRET_BYTES;

/** A token's row. The secret itself is nowhere: `secretHash` is its SHA-256. */
export interface TokenRecord {
  readonly v: 1;
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly identity: IdentityId;
  /** 0 for an identity's first token, one more with each rotation. */
  readonly generation: number;
  readonly secretHash: string;
  /**
   * What, with the rotation key, yields the secret again: so that a lost answer can be repeated. Gone with the
   * token's first use.
   */
  readonly nonce: string | null;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly firstUsedAt: Date | null;
  /** Logins that it is good for; null for any number. */
  readonly maxUses: number | null;
  /** Logins that it was used for. A repeated answer is not another login. */
  readonly uses: number;
}

export interface TokenParts {
  readonly id: Uint8Array;
  readonly secret: Secret<Uint8Array>;
}

/** The text of a token, as it stands in login files. */
export function encodeToken(parts: TokenParts): Secret<string> {
  const bytes = new Uint8Array(BODY_BYTES + CHECKSUM_BYTES);
  bytes.set(parts.id, 0);
  bytes.set(parts.secret.reveal(), TOKEN_ID_BYTES);
  new DataView(bytes.buffer).setUint32(BODY_BYTES, crc32(bytes.subarray(0, BODY_BYTES)));
  return new Secret(PREFIX + toBase64Url(bytes));
}

/** Why a text is no token. Told apart in the audit log only: a caller gets one answer for all. */
export type TokenDefect = 'malformed' | 'checksum';

/** Reads a token's text strictly: nothing before or after it, canonical base64url, exact length, right checksum. */
export function decodeToken(text: string): TokenParts | TokenDefect {
  if (!text.startsWith(PREFIX)) return 'malformed';
  const bytes = fromBase64Url(text.slice(PREFIX.length));
  if (bytes === null || bytes.length !== BODY_BYTES + CHECKSUM_BYTES) return 'malformed';
  const checksum = new DataView(bytes.buffer).getUint32(BODY_BYTES);
  if (checksum !== crc32(bytes.subarray(0, BODY_BYTES))) return 'checksum';
  return {
    id: bytes.slice(0, TOKEN_ID_BYTES),
    secret: new Secret(bytes.slice(TOKEN_ID_BYTES, BODY_BYTES)),
  };
}

/**
 * What the rotation key's HMAC-SHA-256 is taken over to get a token's secret. No part can hold the separator, so
 * two tokens never share an input.
 */
export function tokenDerivationInput(identity: IdentityId, generation: number, nonce: string): string {
  return `everleaf/token/v1|${identity.cluster}/${identity.name.toLowerCase()}|${generation}|${nonce}`;
}

/** When a token issued at `issuedAt` ends (its last second) and when it should be rotated. */
export function tokenDates(
  issuedAt: Date,
  expiryInSeconds: number,
  tokenId: string,
): { issuedAt: Date; expiresAt: Date; rotateAfter: Date } {
  const start = wholeSecond(issuedAt);
  const expiresAt = addMs(start, (expiryInSeconds - 1) * SECOND_MS);
  return { issuedAt: start, expiresAt, rotateAfter: renewalWindow(start, expiresAt, tokenId).renewAfter };
}

/** Logins that a token is still good for; null for any number. */
export function usesLeft({ maxUses, uses }: Pick<TokenRecord, 'maxUses' | 'uses'>): number | null {
  return maxUses === null ? null : Math.max(0, maxUses - uses);
}

/** What is to be said of a genuine token: the public code, and the exact reason for the log. */
export type TokenVerdict =
  | { readonly valid: true }
  | { readonly valid: false; readonly code: 'Expired' | 'Revoked'; readonly reason: string };

/** The reason of a token that works in every way, but for the number of its logins. */
export const TOKEN_USED_UP = 'token-used-up';

/**
 * Whether a token whose secret matched may log its identity in now.
 * @param identity the token's identity: when it was revoked, the newest token generation that was ever used (the first
 *   use of a token ends every earlier one, RFC 9700, 4.14.2), and the lowest that a cut-over left alive
 */
export function judgeToken(
  token: Pick<TokenRecord, 'generation' | 'expiresAt' | 'maxUses' | 'uses'>,
  identity: {
    readonly revokedAt: Date | null;
    readonly token: { readonly usedGeneration: number; readonly floorGeneration: number };
  },
  now: Date,
): TokenVerdict {
  if (identity.revokedAt !== null) return { valid: false, code: 'Revoked', reason: 'identity-revoked' };
  if (wholeSecond(now) > token.expiresAt) return { valid: false, code: 'Expired', reason: 'token-expired' };
  const { usedGeneration, floorGeneration } = identity.token;
  if (token.generation < Math.max(usedGeneration, floorGeneration)) {
    return { valid: false, code: 'Expired', reason: 'token-superseded' };
  }
  // Last: of a token that is used up, the answer that it got may still be repeated.
  if (token.maxUses !== null && token.uses >= token.maxUses) {
    return { valid: false, code: 'Expired', reason: TOKEN_USED_UP };
  }
  return { valid: true };
}
