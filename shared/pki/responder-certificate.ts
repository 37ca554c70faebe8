import { encodeName, type SubjectName } from './distinguished-name.ts';
import {
  authorityKeyId,
  endEntityConstraints,
  extendedKeyUsage,
  leafKeyUsage,
  ocspNoCheck,
  subjectKeyId,
} from './extension-writer.ts';
import { OID } from './oids.ts';
import { subjectKeyIdentifier } from './public-key.ts';
import type { SignatureAlgorithmName } from './signature.ts';
import { buildTbs, type CertificateIssuer } from './tbs-certificate.ts';

export interface ResponderInput {
  /** Lower-case hex of 128 random bits. */
  readonly serialNumber: string;
  /** Whole seconds. */
  readonly notBefore: Date;
  /** Whole seconds, the last valid one. */
  readonly notAfter: Date;
  /** The authority whose certificates the responder speaks for: RFC 6960 section 4.2.2.2 lets no other delegate. */
  readonly issuer: CertificateIssuer;
  readonly subject: SubjectName;
  /** The responder's public key; its private key never leaves the vault. */
  readonly spki: Uint8Array;
  /** Of the authority's key. */
  readonly signatureAlgorithm: SignatureAlgorithmName;
}

/**
 * The TBSCertificate of a delegated OCSP responder, to be linted by `lintResponder`, then signed.
 *
 * Profile: basicConstraints critical, no authority; keyUsage critical digitalSignature; extKeyUsage OCSPSigning alone
 * (RFC 6960 section 4.2.2.2); id-pkix-ocsp-nocheck (section 4.2.2.2.1), because asking a responder about itself goes
 * in circles, which is why such a certificate lives for days only; subjectKeyIdentifier and authorityKeyIdentifier.
 * No names, no CRL distribution point, no authority information access: nothing is to be asked about it.
 *
 * @throws EverleafError Internal for input that X.509 cannot carry, InvalidInput for a key that cannot be read.
 */
export function buildResponderTbs(input: ResponderInput): Uint8Array {
  return buildTbs({
    serialNumber: input.serialNumber,
    notBefore: input.notBefore,
    notAfter: input.notAfter,
    issuerDer: input.issuer.subjectDer,
    subjectDer: encodeName(input.subject),
    spki: input.spki,
    extensions: [
      endEntityConstraints(),
      leafKeyUsage(false),
      extendedKeyUsage(OID.ocspSigning),
      ocspNoCheck(),
      subjectKeyId(subjectKeyIdentifier(input.spki)),
      authorityKeyId(input.issuer.subjectKeyId),
    ],
    signatureAlgorithm: input.signatureAlgorithm,
  });
}
