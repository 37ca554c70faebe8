import { EverleafError } from './errors.ts';

/**
 * Names of clusters and identities. They appear in URLs, SPIFFE paths, table keys, vault names and file names, so
 * anything that would need escaping in one of these is refused at the door.
 */
const CLUSTER_NAME = /^[a-z0-9](?:-?[a-z0-9])*$/;
const IDENTITY_NAME = /^[A-Za-z0-9](?:[.-]?[A-Za-z0-9])*$/;
const CLUSTER_NAME_MAX = 32;
const IDENTITY_NAME_MAX = 63;

/** Who an identity is: its name is unique within its cluster, ignoring case. */
export interface IdentityId {
  readonly cluster: string;
  readonly name: string;
}

export const MANAGEMENT_CLUSTER = 'management';

export function isClusterName(text: string): boolean {
  return text.length <= CLUSTER_NAME_MAX && CLUSTER_NAME.test(text);
}

export function isIdentityName(text: string): boolean {
  return text.length <= IDENTITY_NAME_MAX && IDENTITY_NAME.test(text);
}

const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const DNS_NAME_MAX = 253;

/**
 * Whether a text is a host name (RFC 1123, 2.1) in lower case. One that ends in a number would be read as an IP address
 * (RFC 3696, 2).
 */
export function isDnsName(text: string): boolean {
  const labels = text.split('.');
  const last = labels.at(-1) ?? '';
  return (
    text.length <= DNS_NAME_MAX && labels.every((label) => DNS_LABEL.test(label)) && !/^[0-9]+$/.test(last)
  );
}

/** @throws EverleafError InvalidInput when one of the names could not be carried everywhere. */
export function checkIdentityId(id: IdentityId): void {
  if (!isClusterName(id.cluster)) {
    throw new EverleafError(
      'InvalidInput',
      'A cluster name has 1 to 32 of a-z, 0-9 and single hyphens inside, and this one has not.',
    );
  }
  if (!isIdentityName(id.name)) {
    throw new EverleafError(
      'InvalidInput',
      'An identity name has 1 to 63 of A-Z, a-z, 0-9 and single dots or hyphens inside, and this one has not.',
    );
  }
}

/** `<cluster>/<name>`: the identity as one text, in the case it was created with. */
export function identityText(id: IdentityId): string {
  return `${id.cluster}/${id.name}`;
}

/** The same identity compares equal whatever the case of its name. */
export function isSameIdentity(a: IdentityId, b: IdentityId): boolean {
  return a.cluster === b.cluster && a.name.toLowerCase() === b.name.toLowerCase();
}

/** The SPIFFE ID that relying parties authorise on (SPIFFE-ID, section 2). */
export function spiffeId(trustDomain: string, id: IdentityId): string {
  return `spiffe://${trustDomain}/cluster/${id.cluster}/client/${id.name}`;
}

/**
 * The Key Vault name of a client's certificate. Vault names know letters, digits and hyphens and ignore case; the
 * two hyphens cannot stand inside a cluster's name, so two identities never share a name.
 */
export function vaultCertificateName(id: IdentityId): string {
  return `client--${id.cluster}--${id.name}`.toLowerCase();
}

/** The Key Vault name of the secret that carries a client's token. */
export function vaultTokenName(id: IdentityId): string {
  return `token--${id.cluster}--${id.name}`.toLowerCase();
}

/** The Key Vault name of an authority's certificate. */
export function vaultAuthorityName(authorityId: string): string {
  return `authority--${authorityId}`.toLowerCase();
}

/** The Key Vault name of the certificates with which an authority's OCSP answers are signed. */
export function vaultResponderName(authorityId: string): string {
  return `responder--${authorityId}`.toLowerCase();
}

/** The secret of the client vault that holds every trusted authority, as PEM. */
export const VAULT_BUNDLE_NAME = 'ca-bundle';

/** The secret of the authority vault that tokens are derived from. */
export const VAULT_ROTATION_KEY_NAME = 'rotation-key';

/** The certificate of the authority vault whose key signs checkpoints of the audit log. */
export const VAULT_AUDIT_SIGNING_NAME = 'audit-signing';
