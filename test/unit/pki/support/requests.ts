import { sign } from 'node:crypto';
import { type KeyPair, keyPair } from './keys.ts';
import {
  bitString,
  context,
  integer,
  name,
  nothing,
  type Octets,
  octetString,
  oid,
  sequence,
  set,
  utf8,
  yes,
} from './tlv.ts';

/** Parts of a request to replace; what is left out is as a good client would write it. */
export interface RequestParts {
  readonly key?: KeyPair;
  readonly version?: Octets;
  readonly subject?: Octets;
  readonly spki?: Octets;
  /** The whole `[0] attributes`; null leaves it out. */
  readonly attributes?: Octets | null;
  readonly extensions?: readonly Octets[];
  readonly signatureAlgorithm?: Octets;
  readonly signature?: Octets;
}

export const SHA256_WITH_RSA = (): Octets => sequence(oid('1.2.840.113549.1.1.11'), nothing());
export const ECDSA_WITH_SHA256 = (): Octets => sequence(oid('1.2.840.10045.4.3.2'));

/** A PKCS#10 request written by hand, signed with SHA-256 by the key (P-256 unless another is given). */
export function requestDer(parts: RequestParts = {}): Uint8Array {
  const key = parts.key ?? keyPair('P-256');
  const attributes =
    parts.attributes === undefined ? context(0, ...extensionRequest(parts.extensions)) : parts.attributes;
  const info = sequence(
    parts.version ?? integer('00'),
    parts.subject ?? name(['2.5.4.3', utf8('KMS')]),
    parts.spki ?? key.spki,
    ...(attributes === null ? [] : [attributes]),
  );
  const isRsa = key.privateKey.asymmetricKeyType === 'rsa';
  const algorithm = parts.signatureAlgorithm ?? (isRsa ? SHA256_WITH_RSA() : ECDSA_WITH_SHA256());
  return sequence(info, algorithm, bitString(parts.signature ?? sign('sha256', info, key.privateKey)));
}

/** The attribute that carries extensions, or nothing when there are none. */
export function extensionRequest(extensions?: readonly Octets[]): Octets[] {
  if (extensions === undefined) return [];
  return [sequence(oid('1.2.840.113549.1.9.14'), set(sequence(...extensions)))];
}

export function extension(type: string, value: Octets, critical = false): Octets {
  return sequence(oid(type), ...(critical ? [yes()] : []), octetString(value));
}

export function pemRequest(der: Uint8Array, label = 'CERTIFICATE REQUEST'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
