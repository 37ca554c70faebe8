import { z } from 'zod';
import { readBody, tagsSchema } from './body.ts';
import { showCertificate, showCertificateItem, showCertificateVersion } from './certificate-answers.ts';
import { badParameter } from './errors.ts';
import { certificateVersion, liveCertificate } from './live-objects.ts';
import type { CertificateObject, CertificateVersion } from './model.ts';
import { nowSeconds } from './model.ts';
import { page, pageOfVersions } from './paging.ts';
import { policySchema, resolvePolicy, showPolicy } from './policy.ts';
import type { Route, RouteContext, VaultResponse } from './request.ts';

/** Reading, listing and changing certificates; what makes new versions is in pending.ts. */
export const certificateRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/certificates',
    action: 'certificates/read',
    operation: 'CertificateList',
    handle: listCertificates,
  },
  {
    method: 'GET',
    path: '/certificates/:name/versions',
    action: 'certificates/read',
    operation: 'CertificateListVersions',
    handle: listVersions,
  },
  {
    method: 'GET',
    path: '/certificates/:name/policy',
    action: 'certificates/read',
    operation: 'CertificatePolicyGet',
    handle: getPolicy,
  },
  {
    method: 'PATCH',
    path: '/certificates/:name/policy',
    action: 'certificates/update/action',
    operation: 'CertificatePolicyUpdate',
    handle: updatePolicy,
  },
  {
    method: 'GET',
    path: '/certificates/:name/:version',
    action: 'certificates/read',
    operation: 'CertificateGet',
    handle: getCertificate,
  },
  {
    method: 'PATCH',
    path: '/certificates/:name/:version',
    action: 'certificates/update/action',
    operation: 'CertificateUpdate',
    handle: updateCertificate,
  },
];

function listCertificates(context: RouteContext): VaultResponse {
  const withPending = context.query.get('includePending') === 'true';
  const certificates = context.vault.store
    .all()
    .filter((object) => object.kind === 'certificate')
    .filter(({ deleted, versions }) => deleted === null && (versions.length > 0 || withPending));
  return page(
    context,
    certificates,
    ({ name }) => name.toLowerCase(),
    (certificate) => showCertificateItem(context.vault, certificate, certificate.versions.at(-1)),
  );
}

function listVersions(context: RouteContext): VaultResponse {
  const certificate = liveCertificate(context.vault.store.get(context.name), context.name);
  return pageOfVersions(context, certificate.versions, (version) =>
    showCertificateItem(context.vault, certificate, version, version.version),
  );
}

function getCertificate(context: RouteContext): VaultResponse {
  const { vault, name, version } = context;
  const object = vault.store.get(name);
  if (version === '') return { status: 200, body: showCertificate(vault, liveCertificate(object, name)) };
  const { certificate, found } = certificateVersion(object, name, version);
  return { status: 200, body: showCertificateVersion(vault, certificate, found) };
}

const updateSchema = z.object({
  attributes: z.object({ enabled: z.boolean().optional() }).optional(),
  tags: tagsSchema.optional(),
  policy: z.undefined('update the policy by PATCH of /certificates/{name}/policy').optional(),
});

/** Changes `enabled` and the tags of one version; nbf and exp are the certificate's own and cannot be changed. */
function updateCertificate(context: RouteContext): Promise<VaultResponse> {
  const { vault, name, version } = context;
  const { attributes, tags } = readBody(updateSchema, context.body);
  return vault.store.update(name, (object) => {
    const { certificate, found } = certificateVersion(object, name, version);
    const changed: CertificateVersion = {
      ...found,
      attributes: {
        ...found.attributes,
        enabled: attributes?.enabled ?? found.attributes.enabled,
        updated: nowSeconds(),
      },
      tags: tags ?? found.tags,
    };
    const save: CertificateObject = {
      ...certificate,
      versions: certificate.versions.map((other) => (other === found ? changed : other)),
    };
    return { save, result: { status: 200, body: showCertificateVersion(vault, save, changed) } };
  });
}

function getPolicy(context: RouteContext): VaultResponse {
  const { policy, name } = liveCertificate(context.vault.store.get(context.name), context.name);
  return { status: 200, body: showPolicy(context.vault, name, policy) };
}

/** What the caller leaves out stays as it was. The next version follows the new policy; existing ones do not change. */
function updatePolicy(context: RouteContext): Promise<VaultResponse> {
  const { vault, name } = context;
  const wire = readBody(policySchema, context.body);
  if (Object.keys(wire).length === 0) throw badParameter('Property policy has invalid value. It is empty.');
  return vault.store.update(name, (object) => {
    const certificate = liveCertificate(object, name);
    const policy = resolvePolicy(wire, certificate.policy, nowSeconds());
    const body = showPolicy(vault, certificate.name, policy);
    return { save: { ...certificate, policy }, result: { status: 200, body } };
  });
}
