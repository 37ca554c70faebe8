import { EverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { wholeSecond } from '../domain/instants.ts';
import { type IdentityId, identityText, vaultCertificateName } from '../domain/names.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { withRevocation } from './revoke.ts';
import { updateIdentity } from './update-identity.ts';
import { vaultsOf } from './vaults-of.ts';

/**
 * Deletes an identity: it is revoked, its renewals stop, and to everybody it is gone. Its rows stay, so that nothing of
 * it comes to life again under the same name, and so do its objects in the vault, whose versions are disabled. The
 * record comes first, so a call that was cut short has revoked everything already, and the next one does the rest.
 * @param check looks at the identity before it is deleted, and may refuse
 * @throws EverleafError NotFound when there never was one; what `check` throws; what the vault throws
 */
export async function deleteIdentity(
  deps: Deps,
  run: Run,
  id: IdentityId,
  check: (identity: Identity) => void = () => undefined,
): Promise<void> {
  const identity = await updateIdentity(deps, id, (current) => {
    if (current.deletedAt !== null) return null;
    check(current);
    const now = wholeSecond(deps.clock.now());
    const revoked = withRevocation(current, 'cessationOfOperation', now);
    const deleted: Identity = {
      ...(revoked?.identity ?? current),
      deletedAt: now,
      certificate: { ...(revoked?.identity ?? current).certificate, attempt: null },
    };
    const event = eventChange(deps, run, 'identity-deleted', current);
    return { identity: deleted, changes: [...(revoked?.changes ?? []), event] };
  });
  if (identity.deletedAt === null) {
    throw new EverleafError('Conflict', `${identityText(id)} was made again while it was deleted.`, {
      retryable: true,
    });
  }
  if (identity.delivery === 'vault') await disableVersions(deps, identity);
  run.log.write('info', `Deleted identity ${identityText(identity)}.`);
}

/** Nobody can read a key there any more, and nothing is lost. */
async function disableVersions(deps: Deps, identity: Identity): Promise<void> {
  const name = vaultCertificateName(identity);
  const { certificates } = await vaultsOf(deps, identity.cluster);
  await certificates.discardPending(name);
  for (const version of await certificates.enabledVersions(name)) {
    await certificates.disable(name, version);
  }
}
