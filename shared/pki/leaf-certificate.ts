import { encodeName, type SubjectName } from './distinguished-name.ts';
import type { Extension } from './extension-reader.ts';
import {
  type AuthorityInfoUrls,
  accessIdentity,
  authorityInfoAccess,
  authorityKeyId,
  crlDistributionPoint,
  endEntityConstraints,
  extendedKeyUsage,
  leafKeyUsage,
  subjectAltName,
  subjectKeyId,
} from './extension-writer.ts';
import { OID } from './oids.ts';
import { readPublicKey, subjectKeyIdentifier } from './public-key.ts';
import type { SignatureAlgorithmName } from './signature.ts';
import { buildTbs, type CertificateIssuer } from './tbs-certificate.ts';

export interface LeafInput {
  /** Lower-case hex of 128 random bits. */
  readonly serialNumber: string;
  /** Whole seconds. */
  readonly notBefore: Date;
  /** Whole seconds, the last valid one. */
  readonly notAfter: Date;
  readonly issuer: CertificateIssuer;
  /** `commonName` is the identity's name, `organization` its cluster. */
  readonly subject: SubjectName;
  /** The client's public key, as the request carried it. */
  readonly spki: Uint8Array;
  /** True for client types that serve TLS as well: Node, Host, LoadBalancer. */
  readonly server: boolean;
  /** `spiffe://<trust domain>/cluster/<cluster>/client/<name>`. */
  readonly spiffeUri: string;
  /** Names beyond the URI that the identity allows; usually none. */
  readonly names: { readonly dns: readonly string[]; readonly ipAddresses: readonly string[] };
  /** `<cluster>/<name>`. */
  readonly accessIdentity: string;
  readonly crlUrl?: string;
  readonly authorityInfo?: AuthorityInfoUrls;
  /** What a renewed certificate carries besides; they stand last, in this order. */
  readonly extraExtensions?: readonly Extension[];
  /** Of the authority's key. */
  readonly signatureAlgorithm: SignatureAlgorithmName;
}

/**
 * The TBSCertificate of a client (of a leaf), to be linted by `lintLeaf`, then signed.
 *
 * Profile, RFC 5280 section 4.2.1: basicConstraints critical, no authority; keyUsage critical digitalSignature, with
 * keyEncipherment for a server with an RSA key (TLS 1.2 key transport, useless for EC); extKeyUsage clientAuth, with
 * serverAuth for a server; subjectAltName with the SPIFFE ID as its only URI; subjectKeyIdentifier (RFC 7093 method
 * 1) and authorityKeyIdentifier; where they exist, CRL distribution point and authority information access; the
 * access identity.
 *
 * @throws EverleafError Internal for input that X.509 cannot carry, InvalidInput for a key that cannot be read.
 */
export function buildLeafTbs(input: LeafInput): Uint8Array {
  const withKeyEncipherment = input.server && readPublicKey(input.spki).type === 'RSA';
  const purposes = input.server ? [OID.clientAuth, OID.serverAuth] : [OID.clientAuth];
  const extensions: Extension[] = [
    endEntityConstraints(),
    leafKeyUsage(withKeyEncipherment),
    extendedKeyUsage(...purposes),
    subjectAltName({ uris: [input.spiffeUri], dns: input.names.dns, ipAddresses: input.names.ipAddresses }),
    subjectKeyId(subjectKeyIdentifier(input.spki)),
    authorityKeyId(input.issuer.subjectKeyId),
  ];
  if (input.crlUrl !== undefined) extensions.push(crlDistributionPoint(input.crlUrl));
  if (input.authorityInfo !== undefined) extensions.push(authorityInfoAccess(input.authorityInfo));
  extensions.push(accessIdentity(input.accessIdentity), ...(input.extraExtensions ?? []));
  return buildTbs({
    serialNumber: input.serialNumber,
    notBefore: input.notBefore,
    notAfter: input.notAfter,
    issuerDer: input.issuer.subjectDer,
    subjectDer: encodeName(input.subject),
    spki: input.spki,
    extensions,
    signatureAlgorithm: input.signatureAlgorithm,
  });
}
