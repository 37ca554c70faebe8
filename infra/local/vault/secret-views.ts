import { showAttributes, showTags } from './attributes.ts';
import { objectId } from './identifiers.ts';
import type { CertificateVersion, SecretVersion, StoredObject } from './model.ts';
import { writePfx } from './pkcs12/write-pfx.ts';
import { PKCS12 } from './policy.ts';
import type { Vault } from './request.ts';

/** A version seen as a secret, be it a secret's own or a certificate's. */
export interface SecretView extends Omit<SecretVersion, 'value'> {
  /** True for a certificate's secret: read-only, and it names the key of the same version. */
  readonly isManaged: boolean;
  readonly readValue: () => string;
}

/** All versions of an object seen as secrets, oldest first. */
export function secretViews(object: StoredObject): SecretView[] {
  if (object.kind === 'secret') return object.versions.map(ownView);
  return object.kind === 'certificate' ? object.versions.map(managedView) : [];
}

/** A version of a secret of its own. */
export function ownView({ value, ...fields }: SecretVersion): SecretView {
  return { ...fields, isManaged: false, readValue: () => value };
}

function managedView(certificate: CertificateVersion): SecretView {
  const { version, contentType, attributes, tags } = certificate;
  const readValue = () => certificateAsSecret(certificate);
  return { version, contentType, attributes, tags, isManaged: true, readValue };
}

/** The answer for one version; with its value only when asked for. */
export function showSecret(
  vault: Vault,
  object: StoredObject,
  view: SecretView,
  value?: string,
): Record<string, unknown> {
  return {
    ...(value === undefined ? {} : { value }),
    ...(view.contentType === null ? {} : { contentType: view.contentType }),
    id: objectId(vault, 'secrets', object.name, view.version),
    ...(view.isManaged ? { managed: true } : {}),
    attributes: showAttributes(vault, view.attributes),
    ...showTags(view.tags),
    ...(view.isManaged ? { kid: objectId(vault, 'keys', object.name, view.version) } : {}),
  };
}

/** An entry of a list: without value and kid, and without the version unless the list is one of versions. */
export function showSecretItem(
  vault: Vault,
  object: StoredObject,
  view: SecretView,
  idVersion?: string,
): Record<string, unknown> {
  const { kid: _, ...fields } = showSecret(vault, object, view);
  return { ...fields, id: objectId(vault, 'secrets', object.name, idVersion) };
}

/**
 * The private key when it is exportable, then the certificate, then its chain: as PEM, the key in PKCS#8, or as base64
 * of a PKCS#12 file without a password.
 */
function certificateAsSecret(version: CertificateVersion): string {
  const certificates = [version.cer, ...version.chain];
  const key = version.exportable ? version.key.pem : null;
  if (version.contentType === PKCS12) return writePfx(key, certificates).toString('base64');
  return [key ?? '', ...certificates.map(certificatePem)].join('');
}

function certificatePem(cer: string): string {
  const lines = cer.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
