/**
 * RSA signatures over a digest that the caller made: Key Vault gets digests, node:crypto signs messages only. PKCS#1
 * v1.5 is a DigestInfo padded by the raw operation; PSS is encoded here (RFC 8017, 9.1) and goes through unpadded.
 */
import {
  constants,
  createHash,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

export type RsaHash = 'sha256' | 'sha384' | 'sha512';

/** DER of a DigestInfo up to the digest (RFC 8017, 9.2, note 1). */
const DIGEST_INFO: Readonly<Record<RsaHash, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};

/** RSASSA-PKCS1-v1_5 (RS256, RS384, RS512). */
export function signPkcs1(key: KeyObject, hash: RsaHash, digest: Buffer): Buffer {
  return privateEncrypt({ key, padding: constants.RSA_PKCS1_PADDING }, digestInfo(hash, digest));
}

export function verifyPkcs1(key: KeyObject, hash: RsaHash, digest: Buffer, signature: Buffer): boolean {
  try {
    const signed = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return isEqual(signed, digestInfo(hash, digest));
  } catch {
    return false; // not a signature by this key at all
  }
}

/** RSASSA-PSS with MGF1 of the same hash and a salt as long as the hash (PS256, PS384, PS512 of RFC 7518, 3.5). */
export function signPss(key: KeyObject, hash: RsaHash, digest: Buffer): Buffer {
  const encoded = encodePss(hash, digest, randomBytes(digest.length), modulusBits(key));
  return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encoded);
}

export function verifyPss(key: KeyObject, hash: RsaHash, digest: Buffer, signature: Buffer): boolean {
  try {
    const encoded = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
    // With the salt known, the encoding has one form only: take the salt out, encode again, compare.
    const maskedLength = encoded.length - digest.length - 1;
    const hashed = encoded.subarray(maskedLength, -1);
    const dataBlock = xor(encoded.subarray(0, maskedLength), mask(hash, hashed, maskedLength));
    const salt = dataBlock.subarray(maskedLength - digest.length);
    return isEqual(encoded, encodePss(hash, digest, salt, modulusBits(key)));
  } catch {
    return false;
  }
}

/** EMSA-PSS-ENCODE (RFC 8017, 9.1.1). The moduli here have whole octets, so the encoded form is as long as the key. */
function encodePss(hash: RsaHash, digest: Buffer, salt: Buffer, bits: number): Buffer {
  const length = bits / 8;
  const hashed = createHash(hash).update(Buffer.alloc(8)).update(digest).update(salt).digest();
  const maskedLength = length - hashed.length - 1;
  const padding = Buffer.alloc(maskedLength - salt.length - 1);
  const dataBlock = Buffer.concat([padding, Buffer.from([1]), salt]);
  const masked = xor(dataBlock, mask(hash, hashed, maskedLength));
  // The encoded number must stay below the modulus: its top bit is cleared.
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, hashed, Buffer.from([0xbc])]);
}

/** MGF1 (RFC 8017, B.2.1). */
function mask(hash: RsaHash, seed: Buffer, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let counter = 0, made = 0; made < length; counter++) {
    const suffix = Buffer.alloc(4);
    suffix.writeUInt32BE(counter);
    const block = createHash(hash).update(seed).update(suffix).digest();
    blocks.push(block);
    made += block.length;
  }
  return Buffer.concat(blocks).subarray(0, length);
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ (other[index] ?? 0)));
}

function digestInfo(hash: RsaHash, digest: Buffer): Buffer {
  return Buffer.concat([Buffer.from(DIGEST_INFO[hash], 'hex'), digest]);
}

function modulusBits(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0;
}

function isEqual(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
