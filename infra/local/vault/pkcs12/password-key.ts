import { createHash } from 'node:crypto';

/** What a derived key is for: the ID of RFC 7292, appendix B.3. */
export type Purpose = 1 | 2 | 3;
export const FOR_ENCRYPTION: Purpose = 1;
export const FOR_IV: Purpose = 2;
export const FOR_MAC: Purpose = 3;

/** The octets a hash works on at a time. */
const BLOCK_OCTETS: Readonly<Record<string, number>> = { sha1: 64, sha256: 64, sha384: 128, sha512: 128 };

/**
 * PKCS#12's own way from a password to a key (RFC 7292, appendix B.2).
 * @param hash sha1, sha256, sha384 or sha512
 */
export function passwordKey(
  hash: string,
  password: string,
  salt: Uint8Array,
  iterations: number,
  purpose: Purpose,
  octets: number,
): Buffer {
  const block = BLOCK_OCTETS[hash] ?? 64;
  const diversifier = Buffer.alloc(block, purpose);
  const input = Buffer.concat([repeat(salt, block), repeat(bmpString(password), block)]);
  const result: Buffer[] = [];
  for (let length = 0; length < octets; ) {
    let digest = createHash(hash).update(diversifier).update(input).digest();
    for (let round = 1; round < iterations; round++) digest = createHash(hash).update(digest).digest();
    result.push(digest);
    length += digest.length;
    addToEachBlock(input, repeat(digest, block).subarray(0, block), block);
  }
  return Buffer.concat(result).subarray(0, octets);
}

/** UTF-16, most significant octet first, ended by two zeros (appendix B.1): also an empty password has these. */
function bmpString(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf16le').swap16();
}

/** The octets over and over, up to a whole number of blocks; nothing stays nothing. */
function repeat(octets: Uint8Array, block: number): Buffer {
  const length = block * Math.ceil(octets.length / block);
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, octets);
}

/** Each block becomes the sum of itself, the other, and one, without what overflows. */
function addToEachBlock(input: Buffer, other: Buffer, block: number): void {
  for (let start = 0; start < input.length; start += block) {
    let carry = 1;
    for (let at = block - 1; at >= 0; at--) {
      const sum = (input[start + at] ?? 0) + (other[at] ?? 0) + carry;
      input[start + at] = sum & 0xff;
      carry = sum >> 8;
    }
  }
}
