import { z } from 'zod';
import { readBody, tagsSchema } from './body.ts';
import { showCertificate } from './certificate-answers.ts';
import { badParameter } from './errors.ts';
import { newId } from './identifiers.ts';
import { type ImportedMaterial, importedKeyType, profileOf, readMaterial } from './imported-material.ts';
import { keyOperations } from './key-material.ts';
import { certificateToExtend } from './live-objects.ts';
import type { CertificateObject, CertificatePolicy, CertificateVersion } from './model.ts';
import { nowSeconds } from './model.ts';
import {
  defaultLifetimeActions,
  PEM,
  PKCS12,
  policySchema,
  resolvePolicy,
  type WirePolicy,
} from './policy.ts';
import type { Route, RouteContext, VaultResponse } from './request.ts';
import { describeCertificate } from './x509.ts';

/** A certificate with its key, made elsewhere. */
export const importRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/certificates/:name/import',
    action: 'certificates/import/action',
    operation: 'CertificateImport',
    handle: importCertificate,
  },
];

const importSchema = z.object({
  value: z.string().min(1),
  // 200 characters at most (Microsoft Learn, "Azure Key Vault certificates FAQ").
  pwd: z.string().max(200).optional(),
  policy: policySchema.optional(),
  attributes: z.object({ enabled: z.boolean().optional() }).optional(),
  tags: tagsSchema.optional(),
});

/** Becomes a new version, the first one or another, and current at once. What the policy leaves out is the certificate's. */
function importCertificate(context: RouteContext): Promise<VaultResponse> {
  const { vault, name } = context;
  const input = readBody(importSchema, context.body);
  const isPem = input.policy?.secret_props?.contentType === PEM;
  const material = readMaterial(input.value, input.pwd ?? '', isPem);
  const cer = material.leaf.raw.toString('base64');
  const { nbf, exp } = describeCertificate(cer);
  return vault.store.update(name, (object) => {
    const existing = certificateToExtend(object);
    const now = nowSeconds();
    if (exp < now) {
      throw badParameter(
        'Property value has invalid value. The certificate has expired, and cannot be imported.',
      );
    }
    const policy = policyFor(material, input.policy ?? {}, isPem, now);
    const version: CertificateVersion = {
      version: newId(),
      cer,
      chain: material.chain.map(({ raw }) => raw.toString('base64')),
      key: {
        pem: material.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
        type: policy.key,
        keyOps: keyOperations(policy.key, policy.keyUsage),
      },
      exportable: policy.exportable,
      contentType: policy.contentType,
      attributes: { enabled: input.attributes?.enabled ?? true, nbf, exp, created: now, updated: now },
      tags: input.tags ?? null,
    };
    const save: CertificateObject = {
      v: 1,
      kind: 'certificate',
      name: existing?.name ?? name,
      policy,
      versions: [...(existing?.versions ?? []), version],
      pending: null,
      draft: null,
      deleted: null,
    };
    return { save, result: { status: 200, body: showCertificate(vault, save) } };
  });
}

/** As in the recorded answers: issuer Unknown, a mail at 80 % of the life, the rest from key and certificate. */
function policyFor(
  { key, leaf }: ImportedMaterial,
  { key_props: keyProps = {}, ...wire }: WirePolicy,
  isPem: boolean,
  now: number,
): CertificatePolicy {
  const hsm = keyProps.kty?.endsWith('-HSM') ? { hsm: true as const } : {};
  const found: CertificatePolicy = {
    ...profileOf(leaf),
    key: { ...importedKeyType(key), ...hsm },
    exportable: keyProps.exportable ?? true,
    reuseKey: keyProps.reuse_key ?? false,
    contentType: isPem ? PEM : PKCS12,
    lifetimeActions: defaultLifetimeActions('Unknown'),
    issuer: { name: 'Unknown' },
    attributes: { enabled: true, created: now, updated: now },
  };
  return resolvePolicy(wire, found, now);
}
