import { EverleafError, errorCodeOf } from '../domain/errors.ts';
import type { Failure, Identity } from '../domain/identity.ts';
import { addMs, DAY_MS, wholeSecond } from '../domain/instants.ts';
import { type IdentityId, identityText } from '../domain/names.ts';
import { announceLists, noteForIdentity } from './announce-lists.ts';
import type { Deps, Run } from './deps.ts';
import { disableVersions } from './disable-versions.ts';
import { eventChange } from './events.ts';
import { withRevocation } from './revoke.ts';
import { type IdentityUpdate, updateIdentity, updatePatiently } from './update-identity.ts';

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
  const identity = await updatePatiently(deps, id, (current) => {
    if (current.deletedAt !== null) return null;
    check(current);
    return withDeletion(deps, run, current);
  });
  if (identity.deletedAt === null) {
    throw new EverleafError('Conflict', `${identityText(id)} was made again while it was deleted.`, {
      retryable: true,
    });
  }
  await announceLists(deps, run);
  if (identity.delivery === 'vault') {
    await disableVersions(deps, identity);
    await noteVault(deps, identity, null);
  }
  run.log.write('info', `Deleted identity ${identityText(identity)}.`);
}

/**
 * Ends an identity in the record, as `deleteIdentity` does, and leaves its vault, and asking for the lists, for later.
 * @param seen the incarnation that is meant: one that was made since is left alone
 * @returns that incarnation, deleted; null when there is a later one
 */
export async function endIdentity(deps: Deps, run: Run, seen: Identity): Promise<Identity | null> {
  const { incarnation } = seen;
  const identity = await updatePatiently(deps, seen, (current) =>
    current.incarnation !== incarnation || current.deletedAt !== null
      ? null
      : withDeletion(deps, run, current),
  );
  return identity.incarnation === incarnation ? identity : null;
}

function withDeletion(deps: Deps, run: Run, current: Identity): IdentityUpdate {
  const now = wholeSecond(deps.clock.now());
  const revoked = withRevocation(current, 'cessationOfOperation', now);
  const { certificate, ...rest } = revoked?.identity ?? current;
  return {
    identity: { ...rest, deletedAt: now, certificate: { ...certificate, attempt: null, failure: null } },
    changes: [
      ...(revoked?.changes ?? []),
      eventChange(deps, run, 'identity-deleted', current),
      noteForIdentity(deps, current),
    ],
  };
}

/**
 * Notes at a deleted identity whether its versions in the vault still have to be disabled: the failure of that stands
 * where those of renewals stood, and reconcile tries until there is none.
 * @param code what the vault answered; null when everything is disabled
 */
export async function noteVault(deps: Deps, seen: Identity, code: string | null): Promise<void> {
  const at = wholeSecond(deps.clock.now());
  await updateIdentity(deps, seen, (current) => {
    const { deletedAt, incarnation, certificate } = current;
    if (deletedAt === null || incarnation !== seen.incarnation) return null;
    if (code === null && certificate.failure === null) return null;
    const attempts = (certificate.failure?.attempts ?? 0) + 1;
    const failure: Failure | null = code === null ? null : { at, code, attempts, retryAt: addMs(at, DAY_MS) };
    return { identity: { ...current, certificate: { ...certificate, failure } }, changes: [] };
  });
}

/**
 * Disables what the vault holds of a deleted identity, and notes how that went. Never fails for what the vault answers.
 * @returns the code of the failure; null when all is disabled
 */
export async function cleanVault(deps: Deps, run: Run, identity: Identity): Promise<string | null> {
  try {
    await disableVersions(deps, identity);
    await noteVault(deps, identity, null);
    return null;
  } catch (error) {
    const code = errorCodeOf(error);
    run.log.write(
      'error',
      `Could not disable the versions of ${identityText(identity)} in the vault: ${String(error)}. Reconcile tries again.`,
      { code },
    );
    await noteVault(deps, identity, code);
    return code;
  }
}
