import { encodeDer } from './der-reader.ts';
import { derConstructedContext, derSequence, derTime, derUnsignedInteger, rawDer } from './der-writer.ts';
import type { Extension } from './extension-reader.ts';
import { writeExtension } from './extension-writer.ts';
import { serialNumberBytes } from './serial-number.ts';
import { type SignatureAlgorithmName, writeSignatureAlgorithm } from './signature.ts';

/** The part of an authority that its certificates repeat. */
export interface CertificateIssuer {
  /** The authority's subject, byte for byte: section 6.1.3 of RFC 5280 compares names. */
  readonly subjectDer: Uint8Array;
  readonly subjectKeyId: Uint8Array;
}

export interface TbsInput {
  /** Hex of the number, two digits a byte; it is written as a positive INTEGER whatever its top bit is. */
  readonly serialNumber: string;
  /** Whole seconds. */
  readonly notBefore: Date;
  /** Whole seconds; the last one in which the certificate is valid (RFC 5280 section 4.1.2.5). */
  readonly notAfter: Date;
  /** The issuer's Name, taken over byte for byte. */
  readonly issuerDer: Uint8Array;
  readonly subjectDer: Uint8Array;
  /** SubjectPublicKeyInfo, taken over byte for byte. */
  readonly spki: Uint8Array;
  /** In the order in which they are to stand. */
  readonly extensions: readonly Extension[];
  /** Of the issuer's key. */
  readonly signatureAlgorithm: SignatureAlgorithmName;
}

/**
 * The DER of a version 3 TBSCertificate (RFC 5280 section 4.1). It writes what it is given; profiles are made by
 * leaf-certificate.ts and authority-certificate.ts and checked by the lints.
 * @throws EverleafError Internal for a serial number that is not hex and for dates that X.509 cannot carry.
 */
export function buildTbs(input: TbsInput): Uint8Array {
  const version = derConstructedContext(0, derUnsignedInteger(Uint8Array.of(2)));
  const tbs = derSequence(
    version,
    derUnsignedInteger(serialNumberBytes(input.serialNumber)),
    writeSignatureAlgorithm(input.signatureAlgorithm),
    rawDer(input.issuerDer),
    derSequence(derTime(input.notBefore), derTime(input.notAfter)),
    rawDer(input.subjectDer),
    rawDer(input.spki),
    derConstructedContext(3, derSequence(...input.extensions.map(writeExtension))),
  );
  return encodeDer(tbs);
}
