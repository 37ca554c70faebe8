import type { FinishedAuthority } from '../domain/authority.ts';
import { toHex } from '../domain/encoding.ts';
import { fingerprint } from '../pki/bundle.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { issuerOf } from '../pki/certificate-issuer.ts';
import { encodePem } from '../pki/pem.ts';

/** What an authority's certificates say, in the forms that people and programs compare. */
export interface AuthorityWords {
  /** Lower-case hex. */
  readonly subjectKeyId: string;
  /** Of the certificate's DER, lower-case hex. */
  readonly sha256: string;
  readonly pem: string;
  /** The cross certificates that are signed. */
  readonly crosses: readonly { readonly issuerId: string; readonly pem: string; readonly notAfter: Date }[];
}

/** Puts an authority's certificates into words. */
export function describeAuthority({ certificate, crossCertificates }: FinishedAuthority): AuthorityWords {
  return {
    subjectKeyId: toHex(issuerOf(parseCertificate(certificate)).subjectKeyId),
    sha256: fingerprint(certificate),
    pem: encodePem('CERTIFICATE', certificate),
    crosses: crossCertificates.flatMap(({ issuerId, certificate: der, notAfter }) =>
      der === null ? [] : [{ issuerId, pem: encodePem('CERTIFICATE', der), notAfter }],
    ),
  };
}
