import { z } from 'zod';
import { badParameter } from './errors.ts';
import { objectId } from './identifiers.ts';
import type { CertificatePolicy, Curve, KeyType } from './model.ts';
import type { Vault } from './request.ts';

const KEY_USAGES = [
  'cRLSign',
  'dataEncipherment',
  'decipherOnly',
  'digitalSignature',
  'encipherOnly',
  'keyAgreement',
  'keyCertSign',
  'keyEncipherment',
  'nonRepudiation',
];

export const PEM = 'application/x-pem-file';
export const PKCS12 = 'application/x-pkcs12';
const CURVE_BITS: Readonly<Record<Curve, number>> = { 'P-256': 256, 'P-384': 384, 'P-521': 521 };

const names = z.array(z.string().min(1).max(2048)).optional();

/** The policy as it comes over the wire (@azure/keyvault-certificates, certificatePolicySerializer). */
export const policySchema = z.object({
  key_props: z
    .object({
      exportable: z.boolean().optional(),
      kty: z.string().optional(),
      key_size: z.number().int().optional(),
      reuse_key: z.boolean().optional(),
      crv: z.string().optional(),
    })
    .optional(),
  secret_props: z.object({ contentType: z.enum([PEM, PKCS12]).optional() }).optional(),
  x509_props: z
    .object({
      subject: z.string().max(200).optional(),
      ekus: z.array(z.string().regex(/^[0-2](\.\d+)+$/, 'not an object identifier')).optional(),
      sans: z
        .object({ emails: names, dns_names: names, upns: names, uris: names, ipAddresses: names })
        .optional(),
      key_usage: z.array(z.string()).optional(),
      validity_months: z.number().int().min(1).max(1200).optional(),
    })
    .optional(),
  lifetime_actions: z.array(z.unknown()).optional(),
  issuer: z
    .object({
      name: z.string().optional(),
      cty: z.string().optional(),
      cert_transparency: z.boolean().optional(),
    })
    .optional(),
  attributes: z.object({ enabled: z.boolean().optional() }).optional(),
});

export type WirePolicy = z.output<typeof policySchema>;

/**
 * The policy that a wire policy means.
 * @param base what an absent property falls back to: null for the service's defaults (those its recorded answers
 * show: RSA 2048, exportable, a new key each time, PKCS#12, TLS server and client, 12 months).
 * @param now in seconds
 * @throws VaultError 400 for what the service, or this stand-in, cannot make
 */
export function resolvePolicy(
  wire: WirePolicy,
  base: CertificatePolicy | null,
  now: number,
): CertificatePolicy {
  const { key_props: keyProps = {}, x509_props: x509 = {} } = wire;
  const issuerName = wire.issuer?.name ?? base?.issuer.name;
  if (issuerName !== 'Self' && issuerName !== 'Unknown') {
    throw badParameter(
      `Property policy.issuer has invalid value. The stand-in knows the issuers Self and Unknown, not ${issuerName}.`,
    );
  }
  const policy: CertificatePolicy = {
    key: resolveKeyType(keyProps, base?.key ?? null),
    exportable: keyProps.exportable ?? base?.exportable ?? true,
    reuseKey: keyProps.reuse_key ?? base?.reuseKey ?? false,
    contentType: wire.secret_props?.contentType ?? base?.contentType ?? PKCS12,
    subject: x509.subject ?? base?.subject ?? '',
    ekus: x509.ekus ?? base?.ekus ?? ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'],
    sans: hasNames(x509.sans) ? x509.sans : (base?.sans ?? null),
    keyUsage: resolveKeyUsage(x509.key_usage ?? base?.keyUsage ?? ['digitalSignature', 'keyEncipherment']),
    validityMonths: x509.validity_months ?? base?.validityMonths ?? 12,
    lifetimeActions: wire.lifetime_actions ?? base?.lifetimeActions ?? defaultLifetimeActions(issuerName),
    issuer: { ...base?.issuer, ...wire.issuer, name: issuerName },
    attributes: {
      enabled: wire.attributes?.enabled ?? base?.attributes.enabled ?? true,
      created: base?.attributes.created ?? now,
      updated: now,
    },
  };
  if (policy.exportable && policy.key.hsm) {
    throw badParameter(
      'Property policy.key_props.exportable has invalid value. A key in hardware cannot be exportable.',
    );
  }
  if (policy.subject === '' && policy.sans === null) {
    throw badParameter(
      'Property policy.x509_props has invalid value. A subject or a subject alternative name is needed.',
    );
  }
  return policy;
}

/** The policy as the service shows it. */
export function showPolicy(vault: Vault, name: string, policy: CertificatePolicy): Record<string, unknown> {
  const { key } = policy;
  return {
    id: `${objectId(vault, 'certificates', name)}/policy`,
    key_props: {
      exportable: policy.exportable,
      kty: showKeyType(key),
      key_size: key.kty === 'RSA' ? key.keySize : CURVE_BITS[key.crv],
      reuse_key: policy.reuseKey,
      ...(key.kty === 'EC' ? { crv: key.crv } : {}),
    },
    secret_props: { contentType: policy.contentType },
    x509_props: {
      subject: policy.subject,
      ...(policy.sans === null ? {} : { sans: policy.sans }),
      ekus: policy.ekus,
      key_usage: policy.keyUsage,
      validity_months: policy.validityMonths,
      basic_constraints: { ca: false },
    },
    lifetime_actions: policy.lifetimeActions,
    issuer: policy.issuer,
    attributes: policy.attributes,
  };
}

/** The type as the wire has it: RSA, EC, RSA-HSM or EC-HSM. */
export function showKeyType({ kty, hsm }: KeyType): string {
  return hsm ? `${kty}-HSM` : kty;
}

/**
 * The key that type, size and curve mean.
 * @param base what an absent property falls back to
 * @throws VaultError 400
 */
export function resolveKeyType(
  keyProps: NonNullable<WirePolicy['key_props']>,
  base: KeyType | null,
): KeyType {
  const asked = keyProps.kty ?? (base === null ? 'RSA' : showKeyType(base));
  const hsm = asked.endsWith('-HSM') ? { hsm: true as const } : {};
  const kty = asked.replace(/-HSM$/, '');
  if (kty === 'RSA') {
    const keySize = keyProps.key_size ?? (base?.kty === 'RSA' ? base.keySize : 2048);
    if (keySize === 2048 || keySize === 3072 || keySize === 4096) return { kty, keySize, ...hsm };
    throw badParameter(
      'Property policy.key_props.key_size has invalid value. RSA keys have 2048, 3072 or 4096 bits.',
    );
  }
  if (kty === 'EC') {
    const crv = keyProps.crv ?? (base?.kty === 'EC' ? base.crv : 'P-256');
    if (crv === 'P-256' || crv === 'P-384' || crv === 'P-521') return { kty, crv, ...hsm };
    throw badParameter(
      'Property policy.key_props.crv has invalid value. The stand-in knows P-256, P-384 and P-521.',
    );
  }
  throw badParameter(
    `Property policy.key_props.kty has invalid value. The stand-in makes RSA and EC keys, not ${asked}.`,
  );
}

/** The service takes any spelling ("crlSign") and answers with its own, sorted. */
function resolveKeyUsage(asked: readonly string[]): string[] {
  const isSame = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();
  const unknown = asked.find((usage) => !KEY_USAGES.some((known) => isSame(known, usage)));
  if (unknown !== undefined) {
    throw badParameter(
      `Property policy.x509_props.key_usage has invalid value. ${unknown} is not a key usage.`,
    );
  }
  return KEY_USAGES.filter((known) => asked.some((usage) => isSame(known, usage)));
}

/** What happens near a certificate's end when the policy does not say. */
export function defaultLifetimeActions(issuerName: 'Self' | 'Unknown'): unknown[] {
  const action = { action_type: issuerName === 'Self' ? 'AutoRenew' : 'EmailContacts' };
  return [{ trigger: { lifetime_percentage: 80 }, action }];
}

type Sans = NonNullable<NonNullable<WirePolicy['x509_props']>['sans']>;

/** The SDKs send `"sans": {}` when there is none. */
function hasNames(sans: Sans | undefined): sans is Sans {
  return sans !== undefined && Object.values(sans).some((list) => list !== undefined && list.length > 0);
}
