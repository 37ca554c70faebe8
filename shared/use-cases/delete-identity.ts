import { isEverleafError } from '../domain/errors.ts';
import { wholeSecond } from '../domain/instants.ts';
import { type IdentityId, identityText, vaultCertificateName } from '../domain/names.ts';
import { markRevoked } from '../domain/revocation.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { moveDue, updateIdentity } from './update-identity.ts';
import { vaultsOf } from './vaults-of.ts';

/**
 * Deletes an identity: revoked for good, with nothing due any more, in one transaction; then its current key in the
 * vault is disabled. Nothing is deleted in the vault: whoever makes the identity again adds a version. Safe to repeat.
 * @throws EverleafError NotFound for one that never was
 */
export async function deleteIdentity(deps: Deps, run: Run, id: IdentityId): Promise<void> {
  const identity = await updateIdentity(deps, id, (current) => {
    if (current.deletedAt !== null) return null;
    const now = wholeSecond(deps.clock.now());
    const due = {
      certificate: moveDue(current, 'certificate', null),
      token: moveDue(current, 'token', null),
    };
    const stopped = { queuedAt: null, failure: null, forcedAt: null };
    return {
      identity: {
        ...current,
        ...markRevoked(current, 'cessationOfOperation', now),
        deletedAt: now,
        certificate: { ...current.certificate, ...stopped, dueKey: due.certificate.dueKey },
        token: { ...current.token, ...stopped, dueKey: due.token.dueKey },
      },
      changes: [
        ...due.certificate.changes,
        ...due.token.changes,
        eventChange(deps, run, 'identity-deleted', current),
      ],
    };
  });
  if (identity.delivery !== 'vault') return;
  const { certificates } = await vaultsOf(deps, id.cluster);
  const name = vaultCertificateName(id);
  const current = await certificates.current(name);
  if (current === null) return;
  try {
    await certificates.disable(name, current.version);
    run.log.write('info', `Disabled version ${current.version} of ${identityText(id)} in the vault.`);
  } catch (error) {
    // Somebody deleted it in between: there is nothing left to disable.
    if (!isEverleafError(error, 'NotFound')) throw error;
  }
}
