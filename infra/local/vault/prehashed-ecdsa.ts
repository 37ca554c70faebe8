/**
 * ECDSA over a digest that the caller made (FIPS 186-5, 6.4): Key Vault gets digests, node:crypto would hash them once
 * more. The curve arithmetic stays in OpenSSL: the only point this needs is a multiple of the base point, and a
 * key pair's public half is just that. Not hardened against timing; it guards no real secret.
 */
import { createECDH, type ECDH, type KeyObject, randomBytes } from 'node:crypto';
import type { Curve } from './model.ts';

interface CurveParameters {
  readonly name: string;
  /** Octets of a coordinate and of r and s. */
  readonly size: number;
  /** The order of the base point (SEC 2, version 2.0). */
  readonly order: bigint;
}

const CURVES: Readonly<Record<Curve, CurveParameters>> = {
  'P-256': {
    name: 'prime256v1',
    size: 32,
    order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  },
  'P-384': {
    name: 'secp384r1',
    size: 48,
    order:
      0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  },
  'P-521': {
    name: 'secp521r1',
    size: 66,
    order:
      0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
  },
};

/** Signs a digest; the signature is r || s, each as long as a coordinate, as Key Vault and JWS have it (RFC 7518, 3.4). */
export function signDigest(privateKey: KeyObject, crv: Curve, digest: Buffer): Buffer {
  const curve = CURVES[crv];
  const d = privateScalar(privateKey);
  // No digest of ES256, ES384 and ES512 is longer than its curve's order, so none is truncated.
  const z = toNumber(digest);
  for (;;) {
    const k = randomScalar(curve);
    const r = xOfBaseTimes(curve, k) % curve.order;
    const s = (inverse(k, curve.order) * (z + r * d)) % curve.order;
    if (r !== 0n && s !== 0n) return Buffer.concat([toBytes(r, curve.size), toBytes(s, curve.size)]);
  }
}

/**
 * Checks a signature with the private key, which a vault has: u1 G + u2 Q is then one multiple of G, (z + r d) / s,
 * and no point addition is needed.
 */
export function verifyDigest(privateKey: KeyObject, crv: Curve, digest: Buffer, signature: Buffer): boolean {
  const curve = CURVES[crv];
  if (signature.length !== 2 * curve.size) return false;
  const r = toNumber(signature.subarray(0, curve.size));
  const s = toNumber(signature.subarray(curve.size));
  if (r === 0n || s === 0n || r >= curve.order || s >= curve.order) return false;
  const multiple =
    (inverse(s, curve.order) * (toNumber(digest) + r * privateScalar(privateKey))) % curve.order;
  return multiple !== 0n && xOfBaseTimes(curve, multiple) % curve.order === r;
}

function privateScalar(key: KeyObject): bigint {
  return toNumber(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
}

function randomScalar(curve: CurveParameters): bigint {
  for (;;) {
    // P-521 fills its 66 octets with one bit only in the top one; the mask keeps the odds of a hit high.
    const bytes = randomBytes(curve.size);
    if (curve.size === 66) bytes[0] = (bytes[0] ?? 0) & 1;
    const scalar = toNumber(bytes);
    if (scalar > 0n && scalar < curve.order) return scalar;
  }
}

function xOfBaseTimes(curve: CurveParameters, scalar: bigint): bigint {
  const pair: ECDH = createECDH(curve.name);
  pair.setPrivateKey(toBytes(scalar, curve.size));
  // Uncompressed point: 04, x, y (SEC 1, 2.3.3).
  return toNumber(pair.getPublicKey().subarray(1, 1 + curve.size));
}

/** The inverse modulo a prime, by the extended Euclidean algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [previous, current] = [modulus, value % modulus];
  let [previousFactor, factor] = [0n, 1n];
  while (current !== 0n) {
    const quotient = previous / current;
    [previous, current] = [current, previous - quotient * current];
    [previousFactor, factor] = [factor, previousFactor - quotient * factor];
  }
  return ((previousFactor % modulus) + modulus) % modulus;
}

function toNumber(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex') || '0'}`);
}

function toBytes(value: bigint, size: number): Buffer {
  return Buffer.from(value.toString(16).padStart(size * 2, '0'), 'hex');
}
