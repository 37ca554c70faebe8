import type { Extension } from './extension-reader.ts';
import {
  authorityConstraints,
  authorityKeyId,
  authorityKeyUsage,
  crlDistributionPoint,
  subjectKeyId,
} from './extension-writer.ts';
import { subjectKeyIdentifier } from './public-key.ts';
import type { SignatureAlgorithmName } from './signature.ts';
import { buildTbs, type CertificateIssuer } from './tbs-certificate.ts';

export interface AuthorityInput {
  /** Lower-case hex of 128 random bits. */
  readonly serialNumber: string;
  /** Whole seconds. */
  readonly notBefore: Date;
  /** Whole seconds, the last valid one. */
  readonly notAfter: Date;
  /**
   * The authority's Name: from `encodeName` for a new authority, for a cross certificate the bytes of the existing
   * certificate, so that both are the same name whatever a later encoder would write.
   */
  readonly subjectDer: Uint8Array;
  /** The authority's public key. */
  readonly spki: Uint8Array;
  /** How many authorities may stand below this one: 1 for a self-signed authority, 0 for a cross certificate. */
  readonly pathLength: number;
  /** For a cross certificate: the one in the certificate of the authority it is for. Left out, RFC 7093 method 1. */
  readonly subjectKeyId?: Uint8Array;
  /** The signer of a cross certificate; left out, the certificate is self-signed. */
  readonly issuer?: CertificateIssuer;
  /** Where the issuer of a cross certificate publishes its CRL. */
  readonly crlUrl?: string;
  /** Of the signing key. */
  readonly signatureAlgorithm: SignatureAlgorithmName;
}

/**
 * The TBSCertificate of an authority, to be linted by `lintAuthority`, then signed.
 *
 * Profile, RFC 5280 section 4.2.1: basicConstraints critical with a path length; keyUsage critical keyCertSign and
 * cRLSign; subjectKeyIdentifier; no extKeyUsage, which in an authority would narrow its leaves.
 * authorityKeyIdentifier stands in a cross certificate only: section 4.2.1.1 lets a self-signed one leave it out.
 *
 * A path length of 1 leaves room for cross certificates: a leaf below a cross certificate below the old root has one
 * authority between itself and that root.
 *
 * @throws EverleafError Internal for input that X.509 cannot carry, InvalidInput for a key that cannot be read.
 */
export function buildAuthorityTbs(input: AuthorityInput): Uint8Array {
  const extensions: Extension[] = [
    authorityConstraints(input.pathLength),
    authorityKeyUsage(),
    subjectKeyId(input.subjectKeyId ?? subjectKeyIdentifier(input.spki)),
  ];
  if (input.issuer !== undefined) extensions.push(authorityKeyId(input.issuer.subjectKeyId));
  if (input.crlUrl !== undefined) extensions.push(crlDistributionPoint(input.crlUrl));
  return buildTbs({
    serialNumber: input.serialNumber,
    notBefore: input.notBefore,
    notAfter: input.notAfter,
    issuerDer: input.issuer?.subjectDer ?? input.subjectDer,
    subjectDer: input.subjectDer,
    spki: input.spki,
    extensions,
    signatureAlgorithm: input.signatureAlgorithm,
  });
}
