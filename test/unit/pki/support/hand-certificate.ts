import { sign } from 'node:crypto';
import { type KeyPair, keyPair } from './keys.ts';
import { ECDSA_WITH_SHA256, SHA256_WITH_RSA } from './requests.ts';
import { bitString, context, integer, name, type Octets, sequence, tlv, utf8 } from './tlv.ts';

export interface CertificateParts {
  /** The key that the certificate is for, and the one that signs it: the same unless told. */
  readonly key?: KeyPair;
  readonly issuerKey?: KeyPair;
  /** Content octets in hex. */
  readonly serialNumber?: string;
  /** Names, DER. */
  readonly issuer?: Octets;
  readonly subject?: Octets;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly extensions?: readonly Octets[];
  readonly signatureAlgorithm?: Octets;
  /** The digest that the signature is made over. */
  readonly hash?: string;
}

/** A certificate written by hand, signed with SHA-256 by the issuer's key. */
export function handCertificate(parts: CertificateParts = {}): Uint8Array {
  const key = parts.key ?? keyPair('P-256');
  const issuerKey = parts.issuerKey ?? key;
  const isRsa = issuerKey.privateKey.asymmetricKeyType === 'rsa';
  const algorithm = parts.signatureAlgorithm ?? (isRsa ? SHA256_WITH_RSA() : ECDSA_WITH_SHA256());
  const tbs = sequence(
    context(0, integer('02')),
    integer(parts.serialNumber ?? '01'),
    algorithm,
    parts.issuer ?? name(['2.5.4.3', utf8('issuer')]),
    sequence(
      utcTime(parts.notBefore ?? new Date('2026-01-01T00:00:00Z')),
      utcTime(parts.notAfter ?? new Date('2026-12-31T23:59:59Z')),
    ),
    parts.subject ?? name(['2.5.4.3', utf8('subject')]),
    key.spki,
    ...(parts.extensions === undefined ? [] : [context(3, sequence(...parts.extensions))]),
  );
  return sequence(tbs, algorithm, bitString(sign(parts.hash ?? 'sha256', tbs, issuerKey.privateKey)));
}

function utcTime(date: Date): Octets {
  return tlv(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replace(/[-T:]/g, '')}Z`));
}
