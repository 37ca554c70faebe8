// First: @peculiar/x509 wires itself with decorators that need this polyfill when it is loaded.
import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { badParameter } from './errors.ts';
import { publicKeyOf } from './key-material.ts';
import type { CertificatePolicy, KeyType, StoredKey, SubjectAlternativeNames } from './model.ts';

/** What of a policy shows in a request and in a certificate. */
type Profile = Pick<CertificatePolicy, 'subject' | 'ekus' | 'keyUsage' | 'sans'>;

/**
 * A PKCS#10 request for the key, DER. It carries the extensions that the service's own requests carry: key usage
 * (critical), extended key usage, subject alternative names, basic constraints of a non-CA.
 */
export async function createRequest(key: StoredKey, profile: Profile): Promise<Buffer> {
  const keys = await cryptoKeys(key);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: distinguishedName(profile.subject),
    keys,
    signingAlgorithm: signingAlgorithm(key.type),
    extensions: extensions(profile),
  });
  return Buffer.from(request.rawData);
}

/**
 * A self-signed certificate, DER: valid from ten minutes ago, as the service's are, for whole calendar months from
 * now, never a CA.
 * @param now in seconds
 */
export async function createSelfSigned(
  key: StoredKey,
  policy: CertificatePolicy,
  now: number,
): Promise<Buffer> {
  const keys = await cryptoKeys(key);
  const name = distinguishedName(policy.subject);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomSerialNumber(),
    subject: name,
    issuer: name,
    notBefore: new Date((now - SELF_BACKDATE_SECONDS) * 1000),
    notAfter: addMonths(new Date(now * 1000), policy.validityMonths),
    publicKey: keys.publicKey,
    signingKey: keys.privateKey,
    signingAlgorithm: signingAlgorithm(key.type),
    extensions: [
      ...extensions(policy),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return Buffer.from(certificate.rawData);
}

/** nbf is 600 s before created in every recorded answer of the service for issuer Self. */
const SELF_BACKDATE_SECONDS = 600;

/**
 * The certificates in one element of `x5c`. The service's documents ask for base64 of DER; people also send base64
 * of base64 text and PEM, so all three are read.
 * @throws VaultError 400 when there is no certificate in it
 */
export function readCertificates(element: string): X509Certificate[] {
  const bytes = Buffer.from(element, 'base64');
  const text = element.includes('-----BEGIN') ? element : bytes.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  try {
    if (blocks !== null) return blocks.map((block) => new X509Certificate(block));
    const isDer = bytes[0] === 0x30;
    return [new X509Certificate(isDer ? bytes : Buffer.from(text, 'base64'))];
  } catch {
    throw badParameter(
      'Property x5c has invalid value. An element is not a certificate: send base64 of DER.',
    );
  }
}

/** First and last second of a certificate's validity, its names and its serial number. */
export function describeCertificate(cer: string): {
  nbf: number;
  exp: number;
  subject: string;
  issuer: string;
  serialNumber: string;
} {
  const der = Buffer.from(cer, 'base64');
  const certificate = new X509Certificate(der);
  const names = new x509.X509Certificate(new Uint8Array(der));
  return {
    nbf: Date.parse(certificate.validFrom) / 1000,
    exp: Date.parse(certificate.validTo) / 1000,
    subject: names.subject,
    issuer: names.issuer,
    serialNumber: certificate.serialNumber,
  };
}

/** 128 random bits, positive and without a leading zero octet. */
function randomSerialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

/** The same day of a later month; the month's last day when it has no such day. */
function addMonths(instant: Date, months: number): Date {
  const result = new Date(instant);
  result.setUTCMonth(result.getUTCMonth() + months);
  if (result.getUTCDate() !== instant.getUTCDate()) result.setUTCDate(0);
  return result;
}

function extensions(profile: Profile): x509.Extension[] {
  const flags = profile.keyUsage.reduce((sum, usage) => sum | (KEY_USAGE_FLAGS[usage] ?? 0), 0);
  const names = generalNames(profile.sans);
  return [
    ...(flags === 0 ? [] : [new x509.KeyUsagesExtension(flags, true)]),
    ...(profile.ekus.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...profile.ekus])]),
    ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    new x509.BasicConstraintsExtension(false),
  ];
}

function generalNames(sans: SubjectAlternativeNames | null): x509.JsonGeneralNames {
  const list = (type: x509.JsonGeneralName['type'], values: readonly string[] | undefined) =>
    (values ?? []).map((value) => ({ type, value }));
  return [
    ...list('email', sans?.emails),
    ...list('dns', sans?.dns_names),
    ...list('upn', sans?.upns),
    ...list('url', sans?.uris),
    ...list('ip', sans?.ipAddresses),
  ];
}

/** `type=value`; the value quoted or with escapes (RFC 4514). */
const TYPE_AND_VALUE = '[A-Za-z0-9.]+\\s*=\\s*(?:"[^"]*"|(?:\\\\.|[^,+;"\\\\])*)';
/** Such pairs parted by commas or plus signs. Empty is a name too. */
const DISTINGUISHED_NAME = new RegExp(`^\\s*(?:${TYPE_AND_VALUE}\\s*(?:[,+]\\s*${TYPE_AND_VALUE}\\s*)*)?$`);

/**
 * The service takes attribute types in any case ("cn=MyCert"), the library as RFC 4514 prints them; and the library
 * leaves out what it does not understand, the service refuses it.
 */
function distinguishedName(subject: string): x509.Name {
  try {
    if (!DISTINGUISHED_NAME.test(subject)) throw new Error('not a distinguished name');
    const isType = /(^|[,+]\s*)([A-Za-z]+)\s*=/g;
    return new x509.Name(subject.replace(isType, (_, before, type) => `${before}${type.toUpperCase()}=`));
  } catch {
    throw badParameter('Property policy.x509_props has invalid value. Invalid X.500 distinguished name');
  }
}

/** The names that policies use for the bits of the key usage extension (RFC 5280, section 4.2.1.3). */
export const KEY_USAGE_FLAGS: Readonly<Record<string, number>> = {
  digitalSignature: x509.KeyUsageFlags.digitalSignature,
  nonRepudiation: x509.KeyUsageFlags.nonRepudiation,
  keyEncipherment: x509.KeyUsageFlags.keyEncipherment,
  dataEncipherment: x509.KeyUsageFlags.dataEncipherment,
  keyAgreement: x509.KeyUsageFlags.keyAgreement,
  keyCertSign: x509.KeyUsageFlags.keyCertSign,
  cRLSign: x509.KeyUsageFlags.cRLSign,
  encipherOnly: x509.KeyUsageFlags.encipherOnly,
  decipherOnly: x509.KeyUsageFlags.decipherOnly,
};

const CURVE_HASHES = { 'P-256': 'SHA-256', 'P-384': 'SHA-384', 'P-521': 'SHA-512' } as const;

function signingAlgorithm(type: KeyType): { name: string; hash: string } {
  return type.kty === 'RSA'
    ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    : { name: 'ECDSA', hash: CURVE_HASHES[type.crv] };
}

async function cryptoKeys(key: StoredKey): Promise<webcrypto.CryptoKeyPair> {
  const { type } = key;
  const algorithm = type.kty === 'RSA' ? signingAlgorithm(type) : { name: 'ECDSA', namedCurve: type.crv };
  const pkcs8 = createPrivateKey(key.pem).export({ type: 'pkcs8', format: 'der' });
  const privateKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']);
  const spki = publicKeyOf(key).export({ type: 'spki', format: 'der' });
  const publicKey = await webcrypto.subtle.importKey('spki', spki, algorithm, true, ['verify']);
  return { privateKey, publicKey };
}
