import { createHash } from 'node:crypto';
import {
  type DerElement,
  DerFields,
  expectTag,
  parseDer,
  readInteger,
  readOctetsOfBitString,
  readOid,
  TAG,
} from './der-reader.ts';
import { importPublicKey } from './import-public-key.ts';
import { invalid } from './invalid.ts';
import { describeOid, OID } from './oids.ts';
import { findRsaWeakness, type RsaWeakness } from './weak-rsa.ts';

export type EcCurve = 'P-256' | 'P-384' | 'P-521';

export interface RsaPublicKey {
  readonly type: 'RSA';
  /** Length of the modulus. */
  readonly bits: number;
  readonly modulus: bigint;
  readonly exponent: bigint;
}

export interface EcPublicKey {
  readonly type: 'EC';
  readonly bits: number;
  readonly curve: EcCurve;
}

export type PublicKeyInfo = RsaPublicKey | EcPublicKey;

const CURVES: Readonly<Record<string, { curve: EcCurve; bits: number }>> = {
  [OID.p256]: { curve: 'P-256', bits: 256 },
  [OID.p384]: { curve: 'P-384', bits: 384 },
  [OID.p521]: { curve: 'P-521', bits: 521 },
};

const RSA_MINIMUM_BITS = 2048;
const RSA_MAXIMUM_BITS = 4096;
const RSA_EXPONENT = 65537n;

/**
 * Reads a SubjectPublicKeyInfo: RSA (RFC 3279 section 2.3.1) or EC on a named NIST curve with an uncompressed point
 * (RFC 5480 sections 2.1.1 and 2.2). Whether the key is good enough is for `checkPublicKey` to say.
 * @throws EverleafError InvalidInput with reason `unsupported-key`, `unsupported-curve`, `explicit-curve`,
 *   `compressed-point`, `point-not-on-curve`, `malformed` or one of strict DER.
 */
export function readPublicKey(spki: Uint8Array): PublicKeyInfo {
  const fields = new DerFields(parseDer(spki), 'the public key');
  const algorithm = new DerFields(fields.take('algorithm'), 'the algorithm of the public key');
  const key = readOctetsOfBitString(fields.take('key'), 'the public key');
  fields.end();
  const oid = readOid(algorithm.take('identifier'), 'the algorithm of the public key');
  if (oid === OID.rsaEncryption) {
    expectTag(algorithm.take('parameters'), TAG.null, 'the parameters of the RSA key');
    algorithm.end();
    return readRsaKey(key);
  }
  if (oid === OID.ecPublicKey) {
    const curve = readCurve(algorithm.take('curve'));
    algorithm.end();
    checkPoint(curve, key, spki);
    return { type: 'EC', ...curve };
  }
  throw invalid('unsupported-key', `the key is ${describeOid(oid)}, expected RSA or EC`);
}

/**
 * Checks a key against the rules for every key that Everleaf certifies: RSA of 2048 to 4096 bits with the exponent
 * 65537 and a modulus that is not known to be easy to factor (see weak-rsa.ts), or any EC key that `readPublicKey`
 * reads.
 * @throws EverleafError InvalidInput with reason `rsa-key-too-small`, `rsa-key-too-large`, `rsa-key-odd-size`,
 *   `rsa-exponent` or `weak-key`.
 */
export function checkPublicKey(key: PublicKeyInfo): void {
  checkPublicKeyForm(key);
  checkPublicKeyStrength(key);
}

/** The part of `checkPublicKey` that only compares numbers. */
export function checkPublicKeyForm(key: PublicKeyInfo): void {
  if (key.type === 'EC') return;
  const expected = `expected ${RSA_MINIMUM_BITS} to ${RSA_MAXIMUM_BITS}`;
  if (key.bits < RSA_MINIMUM_BITS)
    throw invalid('rsa-key-too-small', `the RSA key has ${key.bits} bits, ${expected}`);
  if (key.bits > RSA_MAXIMUM_BITS)
    throw invalid('rsa-key-too-large', `the RSA key has ${key.bits} bits, ${expected}`);
  // Libraries disagree about keys whose length is not a whole number of octets (boulder's goodkey refuses them too).
  if (key.bits % 8 !== 0)
    throw invalid('rsa-key-odd-size', `the RSA key has ${key.bits} bits, expected a multiple of 8`);
  if (key.exponent !== RSA_EXPONENT) {
    const found = key.exponent < 2n ** 32n ? String(key.exponent) : 'above 2^32';
    throw invalid('rsa-exponent', `the RSA key's exponent is ${found}, expected ${RSA_EXPONENT}`);
  }
}

/** The part of `checkPublicKey` that computes: about half a millisecond for the longest RSA keys. */
export function checkPublicKeyStrength(key: PublicKeyInfo): void {
  if (key.type === 'EC') return;
  const weakness = rsaWeakness(key.modulus);
  if (weakness === 'small-factor')
    throw invalid('weak-key', 'the RSA modulus has a small prime factor: make a new key');
  if (weakness === 'close-primes') {
    throw invalid('weak-key', 'the RSA primes lie so close together that Fermat finds them: make a new key');
  }
  if (weakness === 'roca') {
    throw invalid(
      'weak-key',
      'the RSA key comes from a generator with the ROCA flaw (CVE-2017-15361): make a new key',
    );
  }
}

/** Enough for the requests in flight: a key is checked when its request comes, and when its certificate is linted. */
const MOST_MODULI = 64;
const judged = new Map<bigint, RsaWeakness | null>();

function rsaWeakness(modulus: bigint): RsaWeakness | null {
  const known = judged.get(modulus);
  if (known !== undefined) return known;
  const weakness = findRsaWeakness(modulus);
  const [oldest] = judged.keys();
  if (judged.size >= MOST_MODULI && oldest !== undefined) judged.delete(oldest);
  judged.set(modulus, weakness);
  return weakness;
}

/** SHA-256 of the whole SubjectPublicKeyInfo, lower-case hex: how a key is named in the record. */
export function spkiHash(spki: Uint8Array): string {
  return createHash('sha256').update(spki).digest('hex');
}

/**
 * The subject key identifier by RFC 7093 section 2 method 1: the leftmost 160 bits of the SHA-256 of the BIT STRING's
 * value, without tag, length and count of unused bits.
 * @returns 20 bytes.
 * @throws EverleafError InvalidInput when `spki` is no SubjectPublicKeyInfo.
 */
export function subjectKeyIdentifier(spki: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(publicKeyBits(spki)).digest().subarray(0, 20));
}

/**
 * The value of the BIT STRING of a public key, without tag, length and count of unused bits: what key identifiers and
 * OCSP (RFC 6960 section 4.1.1) are digests of.
 * @throws EverleafError InvalidInput when `spki` is no SubjectPublicKeyInfo.
 */
export function publicKeyBits(spki: Uint8Array): Uint8Array {
  const fields = new DerFields(parseDer(spki), 'the public key');
  fields.take('algorithm');
  return readOctetsOfBitString(fields.take('key'), 'the public key');
}

function readRsaKey(der: Uint8Array): RsaPublicKey {
  const fields = new DerFields(parseDer(der), 'the RSA key');
  const modulus = readInteger(fields.take('modulus'), 'the RSA modulus');
  const exponent = readInteger(fields.take('exponent'), 'the RSA exponent');
  fields.end();
  if (modulus <= 0n || exponent <= 0n)
    throw invalid('malformed', 'the RSA key holds a number that is not positive');
  return { type: 'RSA', bits: modulus.toString(2).length, modulus, exponent };
}

function readCurve(parameters: DerElement): { curve: EcCurve; bits: number } {
  if (parameters.type === TAG.oid && parameters.tagClass === 0) {
    const oid = readOid(parameters, 'the curve');
    const known = CURVES[oid];
    if (known !== undefined) return known;
    throw invalid('unsupported-curve', `the curve is ${describeOid(oid)}, expected P-256, P-384 or P-521`);
  }
  // RFC 5480 section 2.1.1: specifiedCurve and implicitCurve must not be used. With parameters of an attacker's
  // choice a signature proves nothing (CVE-2020-0601).
  throw invalid(
    'explicit-curve',
    'the curve is given by parameters, expected the name of P-256, P-384 or P-521',
  );
}

function checkPoint(
  { curve, bits }: { curve: EcCurve; bits: number },
  point: Uint8Array,
  spki: Uint8Array,
): void {
  const coordinateBytes = Math.ceil(bits / 8);
  if ((point[0] === 2 || point[0] === 3) && point.length === 1 + coordinateBytes) {
    throw invalid('compressed-point', `the point on ${curve} is compressed, expected the uncompressed form`);
  }
  if (point[0] !== 4 || point.length !== 1 + 2 * coordinateBytes) {
    throw invalid(
      'malformed',
      `the point on ${curve} is not 04 and two coordinates of ${coordinateBytes} bytes`,
    );
  }
  try {
    importPublicKey(spki);
  } catch (cause) {
    throw invalid('point-not-on-curve', `the public key is not a point on ${curve}`, cause);
  }
}
