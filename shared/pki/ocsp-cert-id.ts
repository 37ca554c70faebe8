import { createHash } from 'node:crypto';
import type { ParsedCertificate } from './certificate.ts';
import {
  type DerElement,
  DerFields,
  encodeDer,
  readIntegerBytes,
  readOctetString,
  readOid,
  TAG,
} from './der-reader.ts';
import { invalid } from './invalid.ts';
import { OID } from './oids.ts';
import { publicKeyBits } from './public-key.ts';
import { MAXIMUM_SERIAL_OCTETS } from './serial-number.ts';

/** The digests that name an issuer. SHA-1 is what RFC 5019 section 2.1.1 asks for; it protects nothing here. */
export type CertIdHash = 'sha1' | 'sha256';

/** How a CertID names the authority that issued a certificate, RFC 6960 section 4.1.1. */
export interface CertIdIssuer {
  /** Null for a digest that is not supported: whose certificate is asked about is then not known. */
  readonly hashAlgorithm: CertIdHash | null;
  /** Digest of the DER of the issuer's name. */
  readonly issuerNameHash: Uint8Array;
  /** Digest of the issuer's public key, as `publicKeyBits` gives it. */
  readonly issuerKeyHash: Uint8Array;
}

/** Which certificate is asked about. */
export interface CertId extends CertIdIssuer {
  /**
   * In the written form of serial-number.ts. Zero is `00`, a negative number has `-` before its magnitude: neither is
   * one that Everleaf issues, and no number that it issues is written so.
   */
  readonly serialNumber: string;
  /** The CertID as it was sent: an answer repeats it byte for byte. */
  readonly der: Uint8Array;
}

const HASHES: Readonly<Record<string, CertIdHash>> = { [OID.sha1]: 'sha1', [OID.sha256]: 'sha256' };
const HASH_BYTES: Readonly<Record<CertIdHash, number>> = { sha1: 20, sha256: 32 };

/**
 * Reads a CertID.
 * @throws EverleafError InvalidInput, reason `malformed`, as well for a digest of another length than its algorithm's
 *   and a serial number of more than 20 octets.
 */
export function readCertId(element: DerElement): CertId {
  const fields = new DerFields(element, 'a CertID');
  const algorithm = new DerFields(fields.take('hashAlgorithm'), 'the hash algorithm of a CertID');
  const hashAlgorithm = HASHES[readOid(algorithm.take('identifier'), 'a hash algorithm')] ?? null;
  const issuerNameHash = readOctetString(fields.take('issuerNameHash'), 'issuerNameHash');
  const issuerKeyHash = readOctetString(fields.take('issuerKeyHash'), 'issuerKeyHash');
  const serialNumber = writtenSerial(readIntegerBytes(fields.take('serialNumber'), 'the serial number'));
  fields.end();
  if (hashAlgorithm !== null) {
    // RFC 4055 section 2.1: a NULL and nothing at all mean the same.
    algorithm.takeOptional(TAG.null);
    algorithm.end();
    const length = HASH_BYTES[hashAlgorithm];
    if (issuerNameHash.length !== length || issuerKeyHash.length !== length) {
      throw invalid('malformed', `a digest of a CertID has not the ${length} bytes of ${hashAlgorithm}`);
    }
  }
  return { hashAlgorithm, issuerNameHash, issuerKeyHash, serialNumber, der: encodeDer(element) };
}

/** How CertIDs with that digest name an authority. @throws EverleafError InvalidInput for a key that is none */
export function certIdFor(
  issuer: Pick<ParsedCertificate, 'subjectDer' | 'spki'>,
  hashAlgorithm: CertIdHash,
): CertIdIssuer {
  return {
    hashAlgorithm,
    issuerNameHash: digest(hashAlgorithm, issuer.subjectDer),
    issuerKeyHash: publicKeyDigest(issuer.spki, hashAlgorithm),
  };
}

/** Whether two name the same issuer by the same digest; never when the digest is not supported. */
export function isSameCertIdIssuer(one: CertIdIssuer, other: CertIdIssuer): boolean {
  return (
    one.hashAlgorithm !== null &&
    one.hashAlgorithm === other.hashAlgorithm &&
    Buffer.compare(one.issuerNameHash, other.issuerNameHash) === 0 &&
    Buffer.compare(one.issuerKeyHash, other.issuerKeyHash) === 0
  );
}

/**
 * The digest of a public key as OCSP takes it; with SHA-1 the KeyHash that names a responder (RFC 6960 section 4.2.1).
 * @throws EverleafError InvalidInput for a key that is none
 */
export function publicKeyDigest(spki: Uint8Array, hashAlgorithm: CertIdHash): Uint8Array {
  return digest(hashAlgorithm, publicKeyBits(spki));
}

function digest(hashAlgorithm: CertIdHash, bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash(hashAlgorithm).update(bytes).digest());
}

function writtenSerial(content: Uint8Array): string {
  if (content.length > MAXIMUM_SERIAL_OCTETS) {
    throw invalid('malformed', `a serial number has ${content.length} octets, expected at most 20`);
  }
  const hex = Buffer.from(content).toString('hex');
  if ((content[0] ?? 0) < 0x80) return content.length > 1 ? hex.replace(/^00/, '') : hex;
  const magnitude = ((1n << BigInt(8 * content.length)) - BigInt(`0x${hex}`)).toString(16);
  return `-${magnitude.padStart(2 * content.length, '0').replace(/^(00)+/, '')}`;
}
