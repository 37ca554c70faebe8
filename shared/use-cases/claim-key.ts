import { EverleafError } from '../domain/errors.ts';
import { VAULT_INSTANCE } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { type IdentityId, identityText, isSameIdentity } from '../domain/names.ts';
import { isKeyCompromised } from '../domain/revocation.ts';
import type { CertificateRequest } from '../pki/certificate-request.ts';
import { spkiHash } from '../pki/public-key.ts';
import type { Deps } from './deps.ts';

/**
 * The line of certificates that a request's key belongs to: the one that holds it, or `newInstance`.
 * @param newInstance the line that a key goes to that nobody has used; the key names one of its own when it is left out
 * @throws EverleafError InvalidCertificateRequest for a key of another identity, or one that is compromised
 */
export async function claimKey(
  deps: Pick<Deps, 'identities'>,
  identity: IdentityId,
  request: CertificateRequest,
  newInstance?: string,
): Promise<string> {
  const hash = spkiHash(request.spki);
  const id = { cluster: identity.cluster, name: identity.name };
  const named = hash.slice(0, 32);
  const owner = await deps.identities.claimKey(hash, { identity: id, instance: newInstance ?? named });
  if (!isSameIdentity(owner.identity, identity)) {
    throw new EverleafError(
      'InvalidCertificateRequest',
      'The request is for a key that belongs to another identity. Make a new key.',
      { details: { reason: 'key-of-another-identity' } },
    );
  }
  await checkKey(deps, identity, hash);
  // The vault's own line goes on through the vault alone: who logs in with its key begins a line beside it.
  return owner.instance === VAULT_INSTANCE ? named : owner.instance;
}

/**
 * Refuses a line that must not go on.
 * @throws EverleafError Locked; InvalidCertificateRequest for the key of a line that was revoked
 */
export function checkLine(line: Instance | null): void {
  if (line === null) return;
  if (line.lockedAt !== null) {
    throw new EverleafError(
      'Locked',
      `Instance ${line.id} of ${identityText(line.identity)} is locked: two have used its certificates. An operator must ` +
        'unlock it.',
      { details: { reason: 'instance-locked', instance: line.id } },
    );
  }
  if (line.revokedAt !== null) {
    throw keyRevoked();
  }
}

/**
 * Refuses a key that others have as well, for good: also when the identity is made again.
 * @param spkiHash SHA-256 of the key's SubjectPublicKeyInfo
 * @throws EverleafError InvalidCertificateRequest
 */
export async function checkKey(
  deps: Pick<Deps, 'identities'>,
  identity: IdentityId,
  spkiHash: string,
): Promise<void> {
  if (isKeyCompromised(await deps.identities.revocations(identity), spkiHash)) throw keyRevoked();
}

function keyRevoked(): EverleafError {
  return new EverleafError(
    'InvalidCertificateRequest',
    'The request is for a key that was revoked. Make a new key.',
    { details: { reason: 'key-revoked' } },
  );
}
