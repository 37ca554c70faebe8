import { createHash } from 'node:crypto';
import { showAttributes, showTags } from './attributes.ts';
import { objectId } from './identifiers.ts';
import type { CertificateObject, CertificateVersion, PendingOperation } from './model.ts';
import { showPolicy } from './policy.ts';
import type { Vault } from './request.ts';
import { describeCertificate } from './x509.ts';

/** The current version with the policy. Before there is one: the first version, disabled and without a certificate. */
export function showCertificate(vault: Vault, certificate: CertificateObject): Record<string, unknown> {
  const latest = certificate.versions.at(-1);
  return {
    ...(latest === undefined ? showDraft(vault, certificate) : versionFields(vault, certificate, latest)),
    policy: showPolicy(vault, certificate.name, certificate.policy),
    ...showPendingLink(vault, certificate),
  };
}

/** One version asked for by its id: without the policy, with what can be read from the certificate. */
export function showCertificateVersion(
  vault: Vault,
  certificate: CertificateObject,
  version: CertificateVersion,
): Record<string, unknown> {
  const { subject, issuer, serialNumber } = describeCertificate(version.cer);
  return { ...versionFields(vault, certificate, version), subject, issuer, serialnumber: serialNumber };
}

/** An entry of a list: of certificates when `version` is absent from the id, of versions when it is there. */
export function showCertificateItem(
  vault: Vault,
  certificate: CertificateObject,
  version: CertificateVersion | undefined,
  idVersion?: string,
): Record<string, unknown> {
  const id = objectId(vault, 'certificates', certificate.name, idVersion);
  if (version === undefined) return { id, attributes: draftAttributes(vault, certificate) };
  return {
    id,
    x5t: thumbprint(version),
    attributes: showAttributes(vault, version.attributes),
    ...showTags(version.tags),
  };
}

export function showOperation(
  vault: Vault,
  certificate: CertificateObject,
  operation: PendingOperation,
): Record<string, unknown> {
  const { issuer, status } = operation;
  return {
    id: `${objectId(vault, 'certificates', certificate.name)}/pending`,
    issuer: { name: issuer.name },
    csr: operation.csr,
    cancellation_requested: operation.cancellationRequested,
    status,
    ...(status === 'inProgress' ? { status_details: IN_PROGRESS_DETAILS[issuer.name] } : {}),
    ...(status === 'completed' ? { target: objectId(vault, 'certificates', certificate.name) } : {}),
    request_id: operation.requestId,
  };
}

const IN_PROGRESS_DETAILS: Readonly<Record<string, string>> = {
  Unknown: 'Pending certificate created. Please Perform Merge to complete the request.',
  Self:
    'Pending certificate created. Certificate request is in progress. This may take some time based on the issuer ' +
    'provider. Please check again later.',
};

function versionFields(
  vault: Vault,
  { name }: CertificateObject,
  version: CertificateVersion,
): Record<string, unknown> {
  return {
    id: objectId(vault, 'certificates', name, version.version),
    kid: objectId(vault, 'keys', name, version.version),
    sid: objectId(vault, 'secrets', name, version.version),
    x5t: thumbprint(version),
    cer: version.cer,
    attributes: showAttributes(vault, version.attributes),
    ...showTags(version.tags),
  };
}

function showDraft(vault: Vault, certificate: CertificateObject): Record<string, unknown> {
  return {
    id: objectId(vault, 'certificates', certificate.name, certificate.draft?.version),
    attributes: draftAttributes(vault, certificate),
    ...showTags(certificate.pending?.tags ?? null),
  };
}

function draftAttributes(vault: Vault, { draft }: CertificateObject): Record<string, unknown> {
  const created = draft?.created ?? 0;
  return showAttributes(vault, { enabled: false, nbf: null, exp: null, created, updated: created });
}

function showPendingLink(vault: Vault, { name, pending }: CertificateObject): Record<string, unknown> {
  return pending === null ? {} : { pending: { id: `${objectId(vault, 'certificates', name)}/pending` } };
}

/** SHA-1 of the DER, base64url: an identifier, not a protection. */
function thumbprint(version: CertificateVersion): string {
  return createHash('sha1').update(Buffer.from(version.cer, 'base64')).digest('base64url');
}
