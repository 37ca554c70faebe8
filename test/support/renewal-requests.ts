import { X509Certificate } from 'node:crypto';
import type { IdentityId } from '../../shared/domain/names.ts';
import { type CertificateParts, handCertificate } from '../unit/pki/support/hand-certificate.ts';
import type { KeyPair } from '../unit/pki/support/keys.ts';
import { extension, pemRequest, requestDer } from '../unit/pki/support/requests.ts';
import { implicit, name, type Octets, sequence, utf8 } from '../unit/pki/support/tlv.ts';

const RENEW_CERTIFICATES = '1.3.6.1.4.1.311.104.1.1';

export interface RenewalParts {
  /** The certificate to renew, DER, and its key. */
  readonly certificate: Uint8Array;
  readonly key: Pick<KeyPair, 'privateKey'>;
  readonly identity: IdentityId;
  readonly newKey: KeyPair;
  readonly now: Date;
  /** Parts of the throw-away certificate to replace. */
  readonly keyCertificate?: CertificateParts;
  /** What the extension holds instead of the two certificates. */
  readonly blocks?: readonly string[];
  /** Further certificates behind the two. */
  readonly issuers?: readonly Uint8Array[];
}

/**
 * A certificate request as the cloud agent's clients make it to renew a certificate (microsoft/moc, pkg/certs): written
 * by hand, with the fields that Go's crypto/x509 gives the throw-away certificate.
 */
export function renewalRequest(parts: RenewalParts): string {
  const { certificate, newKey, identity } = parts;
  const blocks = parts.blocks ?? [
    pemOf(keyCertificateOf(parts)),
    pemOf(certificate),
    ...(parts.issuers ?? []).map(pemOf),
  ];
  return pemRequest(
    requestDer({
      key: newKey,
      subject: subjectOf(identity),
      extensions: [extension(RENEW_CERTIFICATES, Buffer.from(blocks.join('')))],
    }),
  );
}

/** The subject of an identity's certificates, byte for byte. */
function subjectOf({ cluster, name: commonName }: IdentityId): Octets {
  return name(['2.5.4.10', utf8(cluster)], ['2.5.4.3', utf8(commonName)]);
}

/** The throw-away certificate: for the new key, signed by the old one. */
export function keyCertificateOf({
  certificate,
  key,
  identity,
  newKey,
  now,
  keyCertificate,
}: RenewalParts): Uint8Array {
  return handCertificate({
    key: newKey,
    issuerKey: key,
    issuer: subjectOf(identity),
    subject: name(['2.5.4.3', utf8('CSR Key')]),
    notBefore: now,
    notAfter: new X509Certificate(Buffer.from(certificate)).validToDate,
    extensions: [extension('2.5.29.35', sequence(implicit(0, Buffer.alloc(20, 7))))],
    ...keyCertificate,
  });
}

export const pemOf = (der: Uint8Array): string => pemRequest(der, 'CERTIFICATE');
