import type { ParsedCertificate } from './certificate.ts';
import { subjectKeyIdentifier } from './public-key.ts';
import type { CertificateIssuer } from './tbs-certificate.ts';

/**
 * What certificates repeat of the authority that signs them: its name, and the key identifier that its own certificate
 * carries. Whoever signed that certificate may have computed the identifier in another way than Everleaf does, and
 * verifiers compare the two (RFC 5280 section 4.2.1.1).
 */
export function issuerOf(authority: ParsedCertificate): CertificateIssuer {
  const { subjectDer, subjectKeyId, spki } = authority;
  return { subjectDer, subjectKeyId: subjectKeyId ?? subjectKeyIdentifier(spki) };
}
