import type { Cluster } from '../domain/cluster.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { VAULT_BUNDLE_NAME } from '../domain/names.ts';
import { Secret } from '../domain/secret.ts';
import type { SecretVault } from '../ports/secret-vault.ts';
import { readTrustBundle, type TrustBundle } from './authorities.ts';
import { listClusters } from './clusters.ts';
import type { Deps, Run } from './deps.ts';
import { Failures } from './failures.ts';
import { brief } from './patience.ts';

/** Stands for the client vault of the deployment itself, which every cluster uses that names none of its own. */
export const DEPLOYMENT_VAULT = null;

type Target = Pick<Cluster, 'name' | 'vaultUrl'> | typeof DEPLOYMENT_VAULT;

/** What the record has of one vault, and how to write it. */
interface Delivery {
  readonly secrets: SecretVault;
  readonly deliveredBundleId: string | null;
  /** Writes down what the vault holds now. Conflict when the row was changed since it was read. */
  record(bundleId: string): Promise<void>;
}

/**
 * Clients that read their credentials from a vault find there what to trust as well: the secret `ca-bundle`. Does nothing
 * when the record says that the vault holds the present bundle, or when the cluster has no vault of its own. The vault is
 * written first, so a kill in between has it written again.
 *
 * The record is written only when nobody changed it meanwhile; otherwise the vault is written once more, because another
 * may have put an older bundle there after this one.
 * @throws EverleafError NotReady before the first start has made an authority; as SecretVault
 */
export async function deliverBundleTo(
  deps: Pick<Deps, 'fleet' | 'clientSecrets' | 'clientVaultAt'>,
  target: Target,
): Promise<void> {
  const patience = brief();
  for (let isCertain = true; ; isCertain = false) {
    const delivery = await readDelivery(deps, target);
    if (delivery === null) return;
    const bundle = await readTrustBundle(deps);
    if (isCertain && delivery.deliveredBundleId === bundle.id) return;
    await write(delivery.secrets, bundle);
    try {
      await delivery.record(bundle.id);
      return;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || !(await patience())) throw error;
    }
  }
}

/**
 * Brings the present bundle into every vault that does not hold it. A vault that fails does not stop the others; the next
 * run tries it again.
 * @throws EverleafError the first failure, after every vault had its turn
 */
export async function deliverBundle(deps: Deps, run: Run): Promise<void> {
  const clusters = (await listClusters(deps)).filter(({ vaultUrl }) => vaultUrl !== null);
  const failures = new Failures(run);
  for (const target of [DEPLOYMENT_VAULT, ...clusters]) {
    const whose = target === DEPLOYMENT_VAULT ? 'the client vault' : `the vault of cluster ${target.name}`;
    await failures.attempt(`bring the trust bundle into ${whose}`, () => deliverBundleTo(deps, target));
  }
  failures.throwFirst();
}

/** Where the present bundle is missing: names of clusters, and null for the deployment's own vault. */
export function undelivered(
  deliveredBundleId: string | null,
  clusters: readonly Cluster[],
  bundleId: string,
): readonly (string | null)[] {
  const missing = clusters.filter(
    (one) => one.state !== 'Deleted' && one.vaultUrl !== null && one.deliveredBundleId !== bundleId,
  );
  return [...(deliveredBundleId === bundleId ? [] : [DEPLOYMENT_VAULT]), ...missing.map(({ name }) => name)];
}

async function readDelivery(
  deps: Pick<Deps, 'fleet' | 'clientSecrets' | 'clientVaultAt'>,
  target: Target,
): Promise<Delivery | null> {
  if (target === DEPLOYMENT_VAULT) {
    const stored = await deps.fleet.deployment();
    if (stored === null) throw new EverleafError('NotReady', 'The deployment has no record yet.');
    const { value, etag } = stored;
    return {
      secrets: deps.clientSecrets,
      deliveredBundleId: value.deliveredBundleId,
      record: (deliveredBundleId) => deps.fleet.replaceDeployment({ ...value, deliveredBundleId }, etag),
    };
  }
  const stored = await deps.fleet.cluster(target.name);
  if (stored === null || stored.value.vaultUrl === null || stored.value.state === 'Deleted') return null;
  const { value, etag } = stored;
  const { vaultUrl, revision } = stored.value;
  return {
    secrets: deps.clientVaultAt(vaultUrl).secrets,
    deliveredBundleId: value.deliveredBundleId,
    record: (deliveredBundleId) =>
      deps.fleet.replaceCluster({ ...value, deliveredBundleId, revision: revision + 1 }, etag),
  };
}

async function write(secrets: SecretVault, bundle: TrustBundle): Promise<void> {
  await secrets.write(VAULT_BUNDLE_NAME, new Secret(bundle.pem), {
    contentType: 'application/x-pem-file',
    tags: { bundleId: bundle.id },
    expiresAt: null,
  });
}
