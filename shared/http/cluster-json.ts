import { type Cluster, reminderDueAt } from '../domain/cluster.ts';
import { toInstant } from '../domain/instants.ts';
import type { CreatedCluster } from '../use-cases/create-cluster.ts';
import type { Deps } from '../use-cases/deps.ts';
import { loginFileJson } from './login-file-json.ts';

/** A cluster in an answer. */
export function clusterJson(cluster: Cluster, { policy }: Pick<Deps, 'policy'>) {
  return {
    name: cluster.name,
    kind: cluster.kind,
    state: cluster.state,
    delivery: cluster.delivery,
    createdAt: toInstant(cluster.createdAt),
    createdBy: cluster.createdBy,
    updatedAt: toInstant(cluster.updatedAt),
    updateDueAt: toInstant(reminderDueAt({ ...cluster, remindedAt: null }, policy.updateReminderDays)),
    vaultUrl: cluster.vaultUrl,
    nodes: cluster.nodes,
  };
}

/** The body of the answer to `POST /api/clusters`. */
export function createdClusterJson(created: CreatedCluster, deps: Pick<Deps, 'policy'>) {
  return {
    cluster: clusterJson(created.cluster, deps),
    identities: created.identities.map(({ cluster, name, clientType, delivery, credentials }) => ({
      cluster,
      name,
      clientType,
      delivery,
      credentials,
    })),
    loginFiles: created.loginFiles.map(loginFileJson),
    operation: created.operation,
    warnings: created.warnings,
  };
}
