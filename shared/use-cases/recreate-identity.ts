import { isEverleafError } from '../domain/errors.ts';
import type { ClientTemplate, Identity, IdentityWishes } from '../domain/identity.ts';
import { wholeSecond } from '../domain/instants.ts';
import { type IdentityId, identityText, vaultCertificateName } from '../domain/names.ts';
import { markRevoked } from '../domain/revocation.ts';
import type { Secret } from '../domain/secret.ts';
import { passGate } from './cluster-gates.ts';
import { assertMayCreate, type ClusterOrigin, insertIdentity, newIdentity } from './create-identity.ts';
import type { Deps, Run } from './deps.ts';
import { disableVersions } from './disable-versions.ts';
import { listIdentity } from './list-revocations.ts';
import { updateIdentity } from './update-identity.ts';

/** Tries to mark an instance while somebody else writes it. Nobody does for long: its identity is deleted. */
const TRIES = 10;

export interface CreatedIdentity {
  readonly identity: Identity;
  /** False when an identity of this name was there, and is as it was. */
  readonly isNew: boolean;
  /** What still stands from an earlier identity of this name, for a person to look at. */
  readonly warnings: readonly string[];
}

/**
 * Makes an identity, or makes a deleted one of its name again: as a new incarnation, whose tokens and certificates have
 * nothing to do with the earlier ones. Those stay dead: its lines are marked as revoked first, every earlier token
 * lies below the floor, and every earlier certificate is of an earlier incarnation.
 * @param origin the cluster that it is made with; null for one that is made by itself
 * @throws EverleafError InvalidInput for a name that cannot be carried everywhere; InUse when its cluster was deleted; what the vault throws when the earlier
 *   identity's versions are still to be disabled there
 */
export async function createOrRecreateIdentity(
  deps: Deps,
  run: Run,
  rotationKey: Secret<Uint8Array>,
  cluster: string,
  template: ClientTemplate,
  wishes: IdentityWishes = {},
  origin: ClusterOrigin | null = null,
): Promise<CreatedIdentity> {
  const found = await insertIdentity(deps, run, rotationKey, cluster, template, wishes, origin);
  if (found.isNew || found.identity.deletedAt === null) return { ...found, warnings: [] };
  const earlier = found.identity;
  await revokeInstances(deps, earlier);
  // While its row still tells when and why: the lists go on with what they have.
  await listIdentity(deps, earlier);
  // While the name is still dead: a worker of the deletion that comes late leaves the vault of a living one alone.
  if (earlier.delivery === 'vault') await disableVersions(deps, earlier);
  const id: IdentityId = { cluster, name: template.name };
  let isNew = false;
  const identity = await updateIdentity(deps, id, async (current) => {
    isNew = current.deletedAt !== null;
    if (!isNew) return null;
    await assertMayCreate(deps, run, id, template, wishes);
    const gate = await passGate(deps, id, origin?.epoch ?? null);
    const made = newIdentity(deps, run, rotationKey, id, template, wishes, origin, current);
    return { identity: made.identity, changes: [...made.changes, ...gate] };
  });
  if (!isNew) return { identity, isNew, warnings: [] };
  run.log.write('info', `Made identity ${identityText(id)} again, as incarnation ${identity.incarnation}.`);
  return { identity, isNew, warnings: await warningsOf(deps, earlier, identity) };
}

/** Safe to interrupt and to repeat: until all lines are marked, the identity stays deleted. */
async function revokeInstances(deps: Deps, identity: Identity): Promise<void> {
  const now = wholeSecond(deps.clock.now());
  for (const { id } of await deps.identities.instances(identity)) {
    for (let attempt = 1; ; attempt++) {
      const stored = await deps.identities.instance(identity, id);
      if (stored === null || stored.value.incarnation > identity.incarnation) break;
      const mark = markRevoked(stored.value, identity.revocationReason ?? 'cessationOfOperation', now);
      if (mark === null) break;
      const value = { ...stored.value, ...mark };
      try {
        await deps.identities.commit(identity.cluster, [
          { op: 'replace', kind: 'instance', value, etag: stored.etag },
        ]);
        break;
      } catch (error) {
        if (!isEverleafError(error, 'Conflict') || attempt === TRIES) throw error;
      }
    }
  }
}

/** What was given to the earlier identity: rights here, which the new one has not, and in the vault, which it has. */
async function warningsOf(deps: Deps, earlier: Identity, identity: Identity): Promise<string[]> {
  const { cluster, name } = identity;
  const assignments = await deps.access.assignmentsOf({ kind: 'identity', cluster, name });
  const warnings = assignments.map(
    ({ id, roleName, scope }) =>
      `Role assignment ${id} still stands: the earlier ${identityText(identity)} was ${roleName} at ${scope}, and the new ` +
      'one is not. Remove it, or assign it again if that is wanted.',
  );
  if (earlier.delivery === 'vault' && identity.delivery === 'vault') {
    warnings.push(
      `Whoever could read "${vaultCertificateName(identity)}" in the vault can read the new credentials there. Look at ` +
        'its role assignments.',
    );
  }
  return warnings;
}
