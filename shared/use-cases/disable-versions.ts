import type { Identity } from '../domain/identity.ts';
import { vaultCertificateName } from '../domain/names.ts';
import type { Deps } from './deps.ts';
import { readIdentity } from './update-identity.ts';
import { vaultsOf } from './vaults-of.ts';

/**
 * Disables every version that the vault holds of a deleted identity: nobody can read a key there any more, and nothing
 * is lost. Versions of a later incarnation are left alone: whoever makes one disables the earlier ones first, so that
 * there is nothing left to do for this call then. Safe to repeat.
 * @param deleted the incarnation whose versions are meant
 */
export async function disableVersions(deps: Deps, deleted: Identity): Promise<void> {
  const name = vaultCertificateName(deleted);
  const { certificates } = await vaultsOf(deps, deleted.cluster);
  if (await isMadeAgain(deps, deleted)) return;
  await certificates.discardPending(name);
  const versions = await certificates.enabledVersions(name);
  // Looked at after the list was read: every version on it is of this incarnation, or an earlier one.
  if (await isMadeAgain(deps, deleted)) return;
  for (const version of versions) await certificates.disable(name, version);
}

async function isMadeAgain(deps: Deps, deleted: Identity): Promise<boolean> {
  return (await readIdentity(deps, deleted)).incarnation !== deleted.incarnation;
}
