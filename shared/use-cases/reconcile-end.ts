import type { Identity } from '../domain/identity.ts';
import { addMs, DAY_MS } from '../domain/instants.ts';
import { identityText, vaultCertificateName } from '../domain/names.ts';
import type { FindingName } from '../domain/reconciliation.ts';
import { announceLists } from './announce-lists.ts';
import { cleanVault, endIdentity } from './delete-identity.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { vaultsOf } from './vaults-of.ts';

/** The names of the clusters that are deleted, as a first look: whoever acts on one reads its row anew. */
export async function readDeletedClusters(deps: Pick<Deps, 'fleet'>): Promise<ReadonlySet<string>> {
  const clusters = await deps.fleet.clusters();
  return new Set(clusters.filter(({ state }) => state === 'Deleted').map(({ name }) => name));
}

/**
 * Finishes what a deletion left: disables versions that the vault did not disable then, and ends an identity that lives
 * on in a deleted cluster.
 * @param seen the identity as a list had it
 * @returns what was found; null for an identity that lives and may
 */
export async function reconcileEnd(
  deps: Deps,
  run: Run,
  seen: Identity,
  deletedClusters: ReadonlySet<string>,
): Promise<readonly FindingName[] | null> {
  if (seen.deletedAt !== null) {
    if (seen.delivery !== 'vault') return null;
    if (seen.certificate.failure === null && !(await isAnythingLeft(deps, seen, seen.deletedAt))) return null;
    if ((await cleanVault(deps, run, seen)) !== null) return [];
    await report(deps, run, seen, 'vault-version-left');
    return ['vault-version-left'];
  }
  if (!deletedClusters.has(seen.cluster)) return null;
  // It was seen before this look, so whatever cluster it was made in is over.
  if ((await deps.fleet.cluster(seen.cluster))?.value.state !== 'Deleted') return null;
  await report(deps, run, seen, 'cluster-deleted');
  const ended = await endIdentity(deps, run, seen);
  await announceLists(deps, run);
  if (ended?.delivery === 'vault') await cleanVault(deps, run, ended);
  return ['cluster-deleted'];
}

/** A deletion that was killed could note nothing: for a week after it the vault itself is asked. */
const KILLED_WITHIN_MS = 7 * DAY_MS;

async function isAnythingLeft(
  deps: Pick<Deps, 'clock' | 'fleet' | 'clientVault' | 'clientSecrets' | 'clientVaultAt' | 'site'>,
  deleted: Identity,
  deletedAt: Date,
): Promise<boolean> {
  if (addMs(deletedAt, KILLED_WITHIN_MS) < deps.clock.now()) return false;
  const name = vaultCertificateName(deleted);
  const { certificates } = await vaultsOf(deps, deleted.cluster);
  if ((await certificates.pending(name)).state === 'waiting') return true;
  return (await certificates.enabledVersions(name)).length > 0;
}

async function report(deps: Deps, run: Run, identity: Identity, reason: FindingName): Promise<void> {
  run.log.write('warn', `Reconcile: ${reason} at ${identityText(identity)}; mended.`);
  await deps.identities.commit(identity.cluster, [
    eventChange(deps, run, 'reconciled', identity, { reason, details: { kind: 'certificate' } }),
  ]);
}
