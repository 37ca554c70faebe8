import { createHash } from 'node:crypto';
import {
  constructedContextTag,
  type DerElement,
  DerFields,
  encodeDer,
  parseDer,
  readIntegerBytes,
  readOctetsOfBitString,
  readSmallInteger,
} from './der-reader.ts';
import { readTime } from './der-time.ts';
import { type NameAttribute, readName, valuesOf } from './distinguished-name.ts';
import {
  type BasicConstraints,
  type Extension,
  readAuthorityKeyIdentifier,
  readBasicConstraints,
  readExtensions,
  readSubjectKeyIdentifier,
} from './extension-reader.ts';
import { invalid } from './invalid.ts';
import { OID } from './oids.ts';
import { readSerialNumber } from './serial-number.ts';
import { readSignatureScheme, verifySignature } from './signature-scheme.ts';

/** Far above any certificate that Everleaf issues or Key Vault returns. */
const MAXIMUM_CERTIFICATE_BYTES = 16 * 1024;
const MAXIMUM_EXTENSIONS = 32;

/** What a TBSCertificate says (RFC 5280 section 4.1.2). */
export interface ParsedTbsCertificate {
  /** The signed bytes themselves. */
  readonly tbs: Uint8Array;
  /** Lower-case hex of the positive number, two digits a byte, no leading zero byte. */
  readonly serialNumber: string;
  /** The AlgorithmIdentifier inside, DER. */
  readonly signatureAlgorithmDer: Uint8Array;
  /** The Name, byte for byte. */
  readonly issuerDer: Uint8Array;
  readonly subjectDer: Uint8Array;
  readonly subject: ReadSubject;
  readonly notBefore: Date;
  /** The last second in which the certificate is valid: it counts in (RFC 5280 section 4.1.2.5). */
  readonly notAfter: Date;
  readonly spki: Uint8Array;
  /** By object identifier; no two have the same. */
  readonly extensions: ReadonlyMap<string, Extension>;
  readonly subjectKeyId: Uint8Array | null;
  readonly authorityKeyId: Uint8Array | null;
  readonly basicConstraints: BasicConstraints | null;
}

export interface ParsedCertificate extends ParsedTbsCertificate {
  readonly der: Uint8Array;
  /** The AlgorithmIdentifier beside the signature, DER; the same bytes as the one inside. */
  readonly outerAlgorithmDer: Uint8Array;
  readonly signature: Uint8Array;
}

export interface ReadSubject {
  /** The first common name that is text, or null. */
  readonly commonName: string | null;
  readonly organization: string | null;
}

/**
 * Reads a version 3 certificate in strict DER. Nothing is verified but that both algorithm identifiers are the same
 * (RFC 5280 section 4.1.1.2); the public key is carried as bytes, for `readPublicKey` to look into.
 * @throws EverleafError InvalidInput; `details.reason` is an InvalidReason.
 */
export function parseCertificate(der: Uint8Array): ParsedCertificate {
  if (der.length > MAXIMUM_CERTIFICATE_BYTES) {
    const limit = MAXIMUM_CERTIFICATE_BYTES;
    throw invalid('too-large', `the certificate has ${der.length} bytes, expected at most ${limit}`);
  }
  const fields = new DerFields(parseDer(der), 'the certificate');
  const tbs = readTbs(fields.take('tbsCertificate'));
  const outerAlgorithmDer = encodeDer(fields.take('signatureAlgorithm'));
  const signature = readOctetsOfBitString(fields.take('signature'), 'the signature of the certificate');
  fields.end();
  if (!Buffer.from(outerAlgorithmDer).equals(tbs.signatureAlgorithmDer)) {
    throw invalid(
      'malformed',
      'the certificate names one signature algorithm inside and another one outside',
    );
  }
  return { ...tbs, der, outerAlgorithmDer, signature };
}

/**
 * Reads a TBSCertificate, the part that is signed.
 * @throws EverleafError InvalidInput; `details.reason` is an InvalidReason.
 */
export function parseTbsCertificate(tbs: Uint8Array): ParsedTbsCertificate {
  return readTbs(parseDer(tbs));
}

/**
 * Whether the certificate's signature was made by that key, with RSA or ECDSA over SHA-256 or stronger. It says
 * nothing about names, dates and constraints.
 * @param issuerSpki a public key that `readPublicKey` accepts.
 * @throws EverleafError InvalidInput with reason `weak-digest` or `unsupported-signature-algorithm`.
 */
export function verifySignedBy(certificate: ParsedCertificate, issuerSpki: Uint8Array): boolean {
  const scheme = readSignatureScheme(parseDer(certificate.outerAlgorithmDer));
  return verifySignature(scheme, issuerSpki, certificate.tbs, certificate.signature);
}

/** SHA-256 of the whole certificate, lower-case hex without separators. */
export function fingerprintSha256(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}

function readTbs(element: DerElement): ParsedTbsCertificate {
  const fields = new DerFields(element, 'tbsCertificate');
  readVersion(fields.takeOptional(constructedContextTag(0)));
  const serialNumber = readSerialNumber(readIntegerBytes(fields.take('serialNumber'), 'the serial number'));
  const signatureAlgorithmDer = encodeDer(fields.take('signature'));
  const issuer = fields.take('issuer');
  readName(issuer, 'the issuer');
  const { notBefore, notAfter } = readValidity(fields.take('validity'));
  const subject = fields.take('subject');
  const subjectAttributes = readName(subject, 'the subject');
  const spki = encodeDer(fields.take('subjectPublicKeyInfo'));
  // Between them may stand unique identifiers, which RFC 5280 section 4.1.2.8 forbids to write: they are refused.
  const extensions = readCertificateExtensions(fields.takeOptional(constructedContextTag(3)));
  fields.end();
  const contentsOf = (oid: string) => extensions.get(oid)?.value ?? null;
  const subjectKeyId = contentsOf(OID.subjectKeyIdentifier);
  const authorityKeyId = contentsOf(OID.authorityKeyIdentifier);
  const basicConstraints = contentsOf(OID.basicConstraints);
  return {
    tbs: encodeDer(element),
    serialNumber,
    signatureAlgorithmDer,
    issuerDer: encodeDer(issuer),
    subjectDer: encodeDer(subject),
    subject: readSubject(subjectAttributes),
    notBefore,
    notAfter,
    spki,
    extensions,
    subjectKeyId: subjectKeyId === null ? null : readSubjectKeyIdentifier(subjectKeyId),
    authorityKeyId: authorityKeyId === null ? null : readAuthorityKeyIdentifier(authorityKeyId).keyId,
    basicConstraints: basicConstraints === null ? null : readBasicConstraints(basicConstraints),
  };
}

function readVersion(tagged: DerElement | null): void {
  // Without the field the version is 1, which has no extensions and so cannot say what a certificate is for.
  if (tagged === null)
    throw invalid('unsupported-version', 'the certificate has version 1, expected version 3');
  const fields = new DerFields(tagged, 'the version', constructedContextTag(0));
  const version = readSmallInteger(fields.take('number'), 'the version');
  fields.end();
  if (version !== 2) {
    throw invalid(
      'unsupported-version',
      `the certificate's version field is ${version}, expected 2 for version 3`,
    );
  }
}

function readValidity(element: DerElement): { notBefore: Date; notAfter: Date } {
  const fields = new DerFields(element, 'validity');
  const notBefore = readTime(fields.take('notBefore'), 'notBefore');
  const notAfter = readTime(fields.take('notAfter'), 'notAfter');
  fields.end();
  return { notBefore, notAfter };
}

function readCertificateExtensions(tagged: DerElement | null): Map<string, Extension> {
  if (tagged === null) return new Map();
  const fields = new DerFields(tagged, 'the extensions', constructedContextTag(3));
  const list = readExtensions(fields.take('list'), MAXIMUM_EXTENSIONS);
  fields.end();
  return new Map(list.map((extension) => [extension.oid, extension]));
}

function readSubject(attributes: readonly NameAttribute[]): ReadSubject {
  return {
    commonName: valuesOf(attributes, OID.commonName)[0] ?? null,
    organization: valuesOf(attributes, OID.organization)[0] ?? null,
  };
}
