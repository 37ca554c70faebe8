import 'reflect-metadata';
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { badParameter, type VaultError } from './errors.ts';
import type { CertificatePolicy, KeyType, SubjectAlternativeNames } from './model.ts';
import { readPfx } from './pkcs12/read-pfx.ts';
import { KEY_USAGE_FLAGS } from './x509.ts';

/** A private key, its certificate, and the rest of the chain. */
export interface ImportedMaterial {
  readonly key: KeyObject;
  readonly leaf: X509Certificate;
  readonly chain: readonly X509Certificate[];
}

/**
 * Reads what is to be imported: a PKCS#12 file as base64, or PEM, as text or as base64 of the text. As in the service,
 * the policy has to say that it is PEM: the content type is not guessed (Azure/azure-sdk-for-net#13043).
 * @throws VaultError 400 in the words of the service
 */
export function readMaterial(value: string, password: string, isPem: boolean): ImportedMaterial {
  const found = isPem ? readPem(value) : readPkcs12(value, password);
  const [key, ...otherKeys] = found.keys;
  if (key === undefined || otherKeys.length > 0) {
    throw badParameter(
      `Private key is not specified in the specified X.509 ${isPem ? 'PEM' : 'PKCS#12'} certificate content. Please specify private key in the X.509 certificate content.`,
    );
  }
  const leaf = found.certificates.find((candidate) => candidate.checkPrivateKey(key));
  if (leaf === undefined) {
    throw badParameter('Property value has invalid value. No certificate in it belongs to the private key.');
  }
  return { key, leaf, chain: found.certificates.filter((other) => other !== leaf) };
}

function readPkcs12(value: string, password: string): { keys: KeyObject[]; certificates: X509Certificate[] } {
  try {
    const { keys, certificates } = readPfx(Buffer.from(value, 'base64'), password);
    return { keys: [...keys], certificates: certificates.map((der) => new X509Certificate(der)) };
  } catch {
    throw unreadable('PKCS#12');
  }
}

function readPem(value: string): { keys: KeyObject[]; certificates: X509Certificate[] } {
  const text = value.startsWith('-----BEGIN') ? value : Buffer.from(value, 'base64').toString('utf8');
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g) ?? [];
  const isCertificate = (block: string) => block.startsWith('-----BEGIN CERTIFICATE-----');
  // Keys in other forms than PKCS#8 are not accepted (Microsoft Learn, "Import a certificate in Azure Key Vault").
  const isKey = (block: string) => block.startsWith('-----BEGIN PRIVATE KEY-----');
  try {
    const certificates = blocks.filter(isCertificate).map((block) => new X509Certificate(block));
    if (certificates.length > 0) return { keys: blocks.filter(isKey).map(readKey), certificates };
  } catch {
    throw unreadable('PEM');
  }
  throw unreadable('PEM');
}

function readKey(block: string): KeyObject {
  return createPrivateKey(block);
}

function unreadable(format: 'PKCS#12' | 'PEM'): VaultError {
  return badParameter(
    `The specified ${format} X.509 certificate content can not be read. Please check if certificate is in valid ${format} format.`,
  );
}

/** @throws VaultError 400 for a key that no vault holds */
export function importedKeyType(key: KeyObject): KeyType {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa') {
    if (modulusLength === 2048 || modulusLength === 3072 || modulusLength === 4096) {
      return { kty: 'RSA', keySize: modulusLength };
    }
  }
  const crv = CURVES[namedCurve ?? ''];
  if (key.asymmetricKeyType === 'ec' && crv !== undefined) return { kty: 'EC', crv };
  throw badParameter(
    'Property value has invalid value. The key is neither RSA of 2048, 3072 or 4096 bits nor EC on P-256, P-384 or P-521.',
  );
}

const CURVES = { prime256v1: 'P-256', secp384r1: 'P-384', secp521r1: 'P-521' } as Readonly<
  Record<string, 'P-256' | 'P-384' | 'P-521'>
>;

/** What of a policy stands in a certificate. Months are rounded up, as the service's recorded answers have them. */
export function profileOf(
  leaf: X509Certificate,
): Pick<CertificatePolicy, 'subject' | 'ekus' | 'keyUsage' | 'sans' | 'validityMonths'> {
  const certificate = new x509.X509Certificate(new Uint8Array(leaf.raw));
  // Without the extension a key may be used for anything (RFC 5280, 4.2.1.3); a policy without it has these two.
  const usages =
    certificate.getExtension(x509.KeyUsagesExtension)?.usages ??
    x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment;
  return {
    subject: certificate.subject,
    ekus: (certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? []).map(String),
    keyUsage: Object.entries(KEY_USAGE_FLAGS).flatMap(([usage, flag]) =>
      (usages & flag) === 0 ? [] : [usage],
    ),
    sans: namesOf(certificate),
    validityMonths: months(certificate.notBefore, certificate.notAfter),
  };
}

function namesOf(certificate: x509.X509Certificate): SubjectAlternativeNames | null {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  const ofType = (type: x509.JsonGeneralName['type']) =>
    names.filter((name) => name.type === type).map(({ value }) => value);
  const all = {
    emails: ofType('email'),
    dns_names: ofType('dns'),
    upns: ofType('upn'),
    uris: ofType('url'),
    ipAddresses: ofType('ip'),
  };
  const present = Object.entries(all).filter(([, values]) => values.length > 0);
  return present.length === 0 ? null : Object.fromEntries(present);
}

function months(from: Date, to: Date): number {
  const whole = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth();
  const end = new Date(from);
  end.setUTCMonth(end.getUTCMonth() + whole);
  return Math.max(1, end < to ? whole + 1 : whole);
}
