import { createPublicKey, X509Certificate } from 'node:crypto';
import {
  bitString,
  element,
  objectIdentifier,
  octetString,
  sequence,
  set,
  smallInteger,
  subjectOf,
  TRUE,
  tagged,
  time,
  utf8String,
} from './der.ts';
import { type SigningKey, signingKey } from './keys.ts';
import { encodePem } from './pem.ts';

const COMMON_NAME = '2.5.4.3';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
/** PKCS #9 extensionRequest (RFC 2985, 5.4.2). */
const EXTENSION_REQUEST = '1.2.840.113549.1.9.14';
/** Where the cloud agent's clients put the proof that a renewal comes from the holder of the old key. */
const RENEW_CERTIFICATES = '1.3.6.1.4.1.311.104.1.1';
const DAY_MS = 86_400_000;

export interface RequestFacts {
  /** The identity's name; it becomes the common name. */
  readonly name: string;
  /** The key that the certificate is for, PEM. */
  readonly keyPem: string;
  /** Names that the certificate should carry as well. The server leaves out what the identity may not have. */
  readonly dnsNames: readonly string[];
  /** Proof of the old key inside the request, the cloud agent's way. */
  readonly renews: null | { readonly keyPem: string; readonly certificatePem: string; readonly now: Date };
}

/** A certificate request in PEM (PKCS#10, RFC 2986), signed with SHA-256. */
export function certificateRequest({ name, keyPem, dnsNames, renews }: RequestFacts): string {
  const key = signingKey(keyPem);
  const extensions = [
    ...(dnsNames.length === 0 ? [] : [extension(SUBJECT_ALT_NAME, generalNames(dnsNames))]),
    ...(renews === null ? [] : [extension(RENEW_CERTIFICATES, proofOf(key, renews))]),
  ];
  const attributes =
    extensions.length === 0
      ? []
      : [sequence(objectIdentifier(EXTENSION_REQUEST), set(sequence(...extensions)))];
  const info = sequence(smallInteger(0), commonName(name), spkiOf(key), tagged(0, ...attributes));
  return encodePem('CERTIFICATE REQUEST', signed(info, key));
}

/**
 * What the cloud agent's clients send: a throw-away certificate for the new key, signed by the old one, then the
 * certificate to renew, both as PEM and one after the other.
 */
function proofOf(
  newKey: SigningKey,
  { keyPem, certificatePem, now }: NonNullable<RequestFacts['renews']>,
): Buffer {
  const oldKey = signingKey(keyPem);
  const old = new X509Certificate(certificatePem);
  // It lives as long as the old one, or a day where that one has ended: it must at least have been valid once.
  const notAfter = new Date(Math.max(Date.parse(old.validTo), now.getTime() + DAY_MS));
  const tbs = sequence(
    tagged(0, smallInteger(2)),
    smallInteger(1),
    oldKey.algorithm,
    subjectOf(old.raw),
    sequence(time(now), time(notAfter)),
    commonName('CSR Key'),
    spkiOf(newKey),
    tagged(3, sequence(extension(BASIC_CONSTRAINTS, sequence(), true))),
  );
  const throwAway = encodePem('CERTIFICATE', signed(tbs, oldKey));
  return Buffer.from(throwAway + encodePem('CERTIFICATE', old.raw), 'latin1');
}

function signed(tbs: Buffer, key: SigningKey): Buffer {
  return sequence(tbs, key.algorithm, bitString(key.signDer(tbs)));
}

function spkiOf({ key }: SigningKey): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function commonName(text: string): Buffer {
  return sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8String(text))));
}

function extension(oid: string, value: Uint8Array, isCritical = false): Buffer {
  return sequence(objectIdentifier(oid), ...(isCritical ? [TRUE] : []), octetString(value));
}

/** dNSName is `[2] IMPLICIT IA5String` (RFC 5280, 4.2.1.6). */
function generalNames(dnsNames: readonly string[]): Buffer {
  return sequence(...dnsNames.map((name) => element(0x82, Buffer.from(name, 'latin1'))));
}
