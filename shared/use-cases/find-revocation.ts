import type { CertificateRecord, Identity } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import type { Deps } from './deps.ts';

/** Why a certificate counts for nothing, whatever its dates say. */
export type RevocationFinding = 'identity-revoked' | 'identity-deleted' | 'instance-revoked';

/**
 * Whether a certificate of the record is revoked, and by what. Everybody who accepts a certificate asks this.
 * @param instance the line that the certificate belongs to; null for the vault's own
 */
export async function findRevocation(
  _deps: Pick<Deps, 'identities' | 'fleet'>,
  identity: Identity,
  instance: Instance | null,
  _certificate: CertificateRecord,
): Promise<RevocationFinding | null> {
  if (identity.deletedAt !== null) return 'identity-deleted';
  if (identity.revokedAt !== null) return 'identity-revoked';
  if (instance === null) return null;
  if (instance.revokedAt !== null) return 'instance-revoked';
  return instance.incarnation < identity.incarnation ? 'identity-deleted' : null;
}
