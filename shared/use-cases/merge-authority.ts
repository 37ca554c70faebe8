import { isSameBytes } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import { vaultAuthorityName } from '../domain/names.ts';
import { parseCertificateRequestDer } from '../pki/certificate-request.ts';
import { spkiHash } from '../pki/public-key.ts';
import type { PendingRequest, VaultCertificate } from '../ports/credential-vault.ts';
import { authorityKeySpec } from './authority-key.ts';
import type { Deps, Run } from './deps.ts';
import { requestFromVault } from './request-from-vault.ts';
import type { SignedAuthority } from './update-authority.ts';

/** Merges the recorded certificate, with the certificates above it, unless the vault has it already. */
export async function mergeAuthority(
  deps: Pick<Deps, 'authorityVault'>,
  authority: SignedAuthority,
): Promise<VaultCertificate> {
  const name = vaultAuthorityName(authority.id);
  const isMerged = (found: VaultCertificate | null): found is VaultCertificate =>
    found !== null && isSameBytes(found.der, authority.certificate);
  // In this order: an operation that ends in between shows as a version.
  const pending = await deps.authorityVault.pending(name);
  const current = await deps.authorityVault.current(name);
  if (isMerged(current)) return current;
  const isOurs = ({ csr }: PendingRequest) =>
    spkiHash(parseCertificateRequestDer(csr).spki) === authority.spkiHash;
  if (pending.state !== 'waiting' || !isOurs(pending)) {
    // The key of a request that an outside root has signed stands in no finished version: with the request it is gone.
    if (authority.issuers.length > 0) throw lostRequest(authority);
    await requestFromVault(deps.authorityVault, name, authorityKeySpec(authority), isOurs);
  }
  try {
    return await deps.authorityVault.merge(name, [authority.certificate, ...authority.issuers]);
  } catch (error) {
    const after = await deps.authorityVault.current(name);
    if (isMerged(after)) return after;
    throw error;
  }
}

function lostRequest({ id }: SignedAuthority): EverleafError {
  return new EverleafError(
    'VaultRefused',
    `The vault has lost the request of authority ${id}, and its key with it: the certificate that the outside root has ` +
      'signed is of no use. Recover the name if it was deleted; otherwise cancel the authority, and the next one is made.',
  );
}

/**
 * The self-signed version has served its purpose: its certificate is nobody's authority. Until the authority is active
 * its record names that version's key.
 */
export async function disableSelfSigned(
  deps: Pick<Deps, 'authorityVault'>,
  run: Run,
  signed: SignedAuthority,
  merged: VaultCertificate,
): Promise<void> {
  const version = signed.keyId?.split('/').at(-1);
  if (version === undefined || version === merged.version) return;
  try {
    await deps.authorityVault.disable(vaultAuthorityName(signed.id), version);
  } catch (error) {
    // Tidiness only: an enabled left-over harms nothing, and the authority works.
    run.log.write(
      'warn',
      `Could not disable the self-signed version of authority ${signed.id}: ${String(error)}`,
    );
  }
}
