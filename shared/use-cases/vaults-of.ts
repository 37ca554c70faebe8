import { MANAGEMENT_CLUSTER } from '../domain/names.ts';
import type { ClientVault, Deps } from './deps.ts';

/** A cluster's client vault, and where it is. */
export interface ClusterVault extends ClientVault {
  readonly url: string;
}

/**
 * The client vault that holds the keys and tokens of a cluster: its own where its record names one (a client vault is
 * one trust zone), else the deployment's. The management cluster always uses the deployment's.
 */
export async function vaultsOf(
  deps: Pick<Deps, 'fleet' | 'clientVault' | 'clientSecrets' | 'clientVaultAt' | 'site'>,
  cluster: string,
): Promise<ClusterVault> {
  const url =
    cluster === MANAGEMENT_CLUSTER ? null : ((await deps.fleet.cluster(cluster))?.value.vaultUrl ?? null);
  return url === null
    ? { url: deps.site.clientVaultUrl, certificates: deps.clientVault, secrets: deps.clientSecrets }
    : { url, ...deps.clientVaultAt(url) };
}
