import { createHash } from 'node:crypto';
import { EverleafError } from '../domain/errors.ts';
import { type DerElement, encodeDer } from './der-reader.ts';
import { derBitString, derNull, derOid, derSequence, derUnsignedInteger, rawDer } from './der-writer.ts';
import { OID } from './oids.ts';
import type { PublicKeyInfo } from './public-key.ts';

/** The algorithms Everleaf signs with, by the names of RFC 7518 section 3.1 that Key Vault uses too. */
export type SignatureAlgorithmName = 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'RS384' | 'RS512';

export interface SignatureAlgorithm {
  readonly name: SignatureAlgorithmName;
  readonly oid: string;
  /** As node:crypto calls it. */
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly keyType: 'EC' | 'RSA';
  /** Length of r and of s in bytes, RFC 7518 section 3.4; null for RSA. */
  readonly coordinateBytes: number | null;
}

export const SIGNATURE_ALGORITHMS: Readonly<Record<SignatureAlgorithmName, SignatureAlgorithm>> = {
  ES256: { name: 'ES256', oid: OID.ecdsaWithSha256, hash: 'sha256', keyType: 'EC', coordinateBytes: 32 },
  ES384: { name: 'ES384', oid: OID.ecdsaWithSha384, hash: 'sha384', keyType: 'EC', coordinateBytes: 48 },
  ES512: { name: 'ES512', oid: OID.ecdsaWithSha512, hash: 'sha512', keyType: 'EC', coordinateBytes: 66 },
  RS256: { name: 'RS256', oid: OID.sha256WithRsa, hash: 'sha256', keyType: 'RSA', coordinateBytes: null },
  RS384: { name: 'RS384', oid: OID.sha384WithRsa, hash: 'sha384', keyType: 'RSA', coordinateBytes: null },
  RS512: { name: 'RS512', oid: OID.sha512WithRsa, hash: 'sha512', keyType: 'RSA', coordinateBytes: null },
};

/**
 * The algorithm an authority with this key signs with: the digest that matches the curve, which is the only one Key
 * Vault offers for it, and SHA-256 for RSA. PKCS#1 v1.5 and not PSS, because many X.509 clients do not know PSS.
 */
export function signatureAlgorithmFor(key: PublicKeyInfo): SignatureAlgorithmName {
  if (key.type === 'RSA') return 'RS256';
  return ({ 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' } as const)[key.curve];
}

/** AlgorithmIdentifier: NULL parameters for RSA (RFC 4055 section 5), none for ECDSA (RFC 5758 section 3.2). */
export function writeSignatureAlgorithm(name: SignatureAlgorithmName): DerElement {
  const { oid, keyType } = SIGNATURE_ALGORITHMS[name];
  return keyType === 'RSA' ? derSequence(derOid(oid), derNull()) : derSequence(derOid(oid));
}

/** What Key Vault's sign operation wants: the digest of the bytes to be signed, under the algorithm's hash. */
export function digestFor(name: SignatureAlgorithmName, tbs: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash(SIGNATURE_ALGORITHMS[name].hash).update(tbs).digest());
}

/**
 * Turns an ECDSA signature of JWS and Key Vault (r and s as fixed-length big-endian numbers, RFC 7518 section 3.4)
 * into the one X.509 carries (Ecdsa-Sig-Value, RFC 3279 section 2.2.3).
 * @param raw 64, 96 or 132 bytes, for P-256, P-384 and P-521.
 * @throws EverleafError Internal for any other length.
 */
export function ecdsaRawToDer(raw: Uint8Array): Uint8Array {
  if (raw.length !== 64 && raw.length !== 96 && raw.length !== 132) {
    throw new EverleafError(
      'Internal',
      `Cannot encode an ECDSA signature of ${raw.length} bytes: expected r and s, 64, 96 or 132 bytes in all.`,
    );
  }
  const half = raw.length / 2;
  return encodeDer(
    derSequence(derUnsignedInteger(raw.subarray(0, half)), derUnsignedInteger(raw.subarray(half))),
  );
}

/**
 * The BIT STRING of a signature as X.509, CRLs and OCSP carry it.
 * @param signature as Key Vault and JWS return it: r and s for ES*, the signature's octets for RS*.
 * @throws EverleafError Internal when the signature has not the algorithm's length.
 */
export function writeSignature(name: SignatureAlgorithmName, signature: Uint8Array): DerElement {
  const { coordinateBytes } = SIGNATURE_ALGORITHMS[name];
  const isLengthRight =
    coordinateBytes === null ? signature.length >= 256 : signature.length === 2 * coordinateBytes;
  if (!isLengthRight) {
    const expected = coordinateBytes === null ? 'at least 256' : `${2 * coordinateBytes}`;
    throw new EverleafError(
      'Internal',
      `Cannot put an ${name} signature of ${signature.length} bytes to anything: expected ${expected}.`,
    );
  }
  return derBitString(coordinateBytes === null ? signature : ecdsaRawToDer(signature));
}

/**
 * Puts a certificate together (RFC 5280 section 4.1). It does not verify the signature: the caller does, with
 * `verifySignedBy`, before the certificate leaves.
 * @param tbs the TBSCertificate, exactly the bytes whose digest was signed.
 * @param signature as Key Vault and JWS return it.
 * @throws EverleafError Internal when the signature has not the algorithm's length.
 */
export function assembleCertificate(
  tbs: Uint8Array,
  name: SignatureAlgorithmName,
  signature: Uint8Array,
): Uint8Array {
  return encodeDer(derSequence(rawDer(tbs), writeSignatureAlgorithm(name), writeSignature(name, signature)));
}
