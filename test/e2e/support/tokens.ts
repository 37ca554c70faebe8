import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * A token of the published form that nobody issued: `elt1_`, then base64url of id (16 bytes), secret (32 bytes) and
 * the CRC-32 of both.
 */
export function inventToken(id: Uint8Array = randomBytes(16), secret: Uint8Array = randomBytes(32)): string {
  const body = Buffer.concat([id, secret]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return `elt1_${Buffer.concat([body, checksum]).toString('base64url')}`;
}

/** The id of a token, in hexadecimal as the status page has it. */
export function tokenId(token: string): string {
  return tokenIdBytes(token).toString('hex');
}

/** The id of a token as it stands in its text: the first 16 bytes. */
export function tokenIdBytes(token: string): Buffer {
  return Buffer.from(token.replace('elt1_', ''), 'base64url').subarray(0, 16);
}
