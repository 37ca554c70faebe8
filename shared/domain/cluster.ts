import { EverleafError } from './errors.ts';
import type { ClientTemplate, Delivery } from './identity.ts';
import { addMs, DAY_MS, toInstant } from './instants.ts';
import { isClusterName, isIdentityName } from './names.ts';
import type { PlanEntry } from './renewal-plan.ts';

/**
 * `Creating` until all of its default clients are there, `Active` while it is used, `Deleting` while its identities are
 * being revoked, `Deleted` for good; a row that is `Deleted` may become `Creating` again under the same name.
 */
export const CLUSTER_STATES = ['Creating', 'Active', 'Deleting', 'Deleted'] as const;
export type ClusterState = (typeof CLUSTER_STATES)[number];

/** What an operator asks for when creating a workload cluster. */
export interface ClusterSpec {
  readonly name: string;
  /** Names of its nodes: each gets a client `kubelet-<node>`. */
  readonly nodes: readonly string[];
  /** Who keeps the keys of its cloud clients. Kubelets always keep their own. */
  readonly delivery: Delivery;
  /** The client vault of this cluster alone, without a slash at its end; null for the deployment's own. */
  readonly vaultUrl: string | null;
}

/** A cluster's record. */
export interface Cluster extends ClusterSpec {
  readonly v: 1;
  readonly kind: 'management' | 'workload';
  readonly state: ClusterState;
  readonly createdAt: Date;
  /** When its credentials were last made or updated as a whole. */
  readonly updatedAt: Date;
  /** When its operators were last reminded to update it; null while they never were. */
  readonly remindedAt: Date | null;
  /** The operator who created it; null for the management cluster. */
  readonly createdBy: string | null;
  /** The operation that created it, or that deletes it: the same request again is known by it. */
  readonly operationId: string | null;
  /** Stands for the request that made it, or is making it; null for the management cluster and rows of the first versions. */
  readonly creationId: string | null;
  /** 1, and one more each time that it is made again under its name. */
  readonly epoch: number;
  /** bundleId of the trust bundle in its own vault; null while there is none, or no vault of its own. */
  readonly deliveredBundleId: string | null;
  /** 1, and one more with each change: what its ETag is made of. */
  readonly revision: number;
}

export const MOST_NODES = 500;

/**
 * Identities of one cluster. The items of an operation, two for each of them and 100 to a row, are written in one
 * transaction, which Table storage limits to 100 rows and 4 MiB.
 */
export const MOST_IDENTITIES = 2_000;

/** @throws EverleafError InvalidInput when a cluster that has so many identities takes no more */
export function checkRoom(cluster: string, identities: number): void {
  if (identities < MOST_IDENTITIES) return;
  throw new EverleafError(
    'InvalidInput',
    `Cluster "${cluster}" has ${identities} identities, and ${MOST_IDENTITIES} are the most that one cluster holds. Delete ` +
      'some that are not needed, or use another cluster.',
  );
}

/** The client of a node. Its name is in every kubelet's certificate, so it follows from the node's alone. */
export function kubeletName(node: string): string {
  return `kubelet-${node}`;
}

/**
 * Checks what an operator asks for.
 * @throws EverleafError InvalidInput, which names the place in the body (RFC 6901): a name that cannot be carried
 *   everywhere, more than 500 nodes, or two nodes whose names differ in case at most
 */
export function checkClusterSpec(spec: Pick<ClusterSpec, 'name' | 'nodes'>): void {
  if (!isClusterName(spec.name)) {
    throw invalid(
      '/name',
      'A cluster name has 1 to 32 of a-z, 0-9 and single hyphens inside, and this one has not.',
    );
  }
  if (spec.nodes.length > MOST_NODES) {
    throw invalid(
      '/nodes',
      `A cluster has ${MOST_NODES} nodes at most, and this one has ${spec.nodes.length}.`,
    );
  }
  const seen = new Set<string>();
  for (const [i, node] of spec.nodes.entries()) {
    if (!isNodeName(node)) {
      throw invalid(
        `/nodes/${i}`,
        'A node name has 1 to 55 of A-Z, a-z, 0-9 and single dots or hyphens inside, and this one has not.',
      );
    }
    if (seen.has(node.toLowerCase())) {
      throw invalid(`/nodes/${i}`, 'Two nodes have this name; case makes no difference.');
    }
    seen.add(node.toLowerCase());
  }
}

/** A node's name must be a name by itself and as part of its client's. */
function isNodeName(node: string): boolean {
  return isIdentityName(node) && isIdentityName(kubeletName(node));
}

const CLOUD_CLIENTS = ['KMS', 'CSI', 'CertManager', 'CloudProvider'];

/**
 * The default clients of a workload cluster: those that Update-AksHciClusterCertificates renews with
 * -fixCloudCredentials, and one kubelet per node for -fixKubeletCredentials.
 */
export function workloadClients(spec: Pick<ClusterSpec, 'nodes' | 'delivery'>): readonly ClientTemplate[] {
  return [
    ...CLOUD_CLIENTS.map(
      (name): ClientTemplate => ({
        name,
        clientType: 'ExternalClient',
        delivery: spec.delivery,
        credentials: 'cloud',
      }),
    ),
    ...spec.nodes.map(
      (node): ClientTemplate => ({
        name: kubeletName(node),
        clientType: 'Node',
        delivery: 'agent',
        credentials: 'kubelet',
      }),
    ),
  ];
}

/** Whether two requests ask for the same cluster, whatever the order of its nodes. */
export function isSameSpec(a: ClusterSpec, b: ClusterSpec): boolean {
  const nodes = ({ nodes: names }: ClusterSpec) => [...names].sort().join(' ');
  return a.name === b.name && a.delivery === b.delivery && a.vaultUrl === b.vaultUrl && nodes(a) === nodes(b);
}

/**
 * A vault name of Azure: 3 to 24 letters, digits and single hyphens, a letter first (Microsoft Learn, "About keys,
 * secrets, and certificates", vault name and object name).
 */
const AZURE_VAULT = /^https:\/\/([a-z](?:-?[a-z0-9]){2,23})\.vault\.azure\.net(?::443)?\/?$/;
const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];
const MOST_PORT = 65_535;
const LOCAL_VAULT = /^(https?:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?)\/?$/;

/**
 * The vault that a cluster names as its own, without a slash at its end. Everleaf sends its own access token there, so
 * nothing but a Key Vault is accepted; a deployment whose client vault is on this machine takes vaults on this machine.
 * @param site the vaults of the deployment itself
 * @throws EverleafError InvalidInput for any other address, and for the authority vault, which no client may read
 */
export function checkedVaultUrl(
  text: string,
  site: { readonly clientVaultUrl: string; readonly authorityVaultUrl: string },
): string {
  const wanted = text.toLowerCase();
  const azure = AZURE_VAULT.exec(wanted)?.[1];
  const local = LOCAL_VAULT.test(`${site.clientVaultUrl}/`) ? LOCAL_VAULT.exec(wanted)?.[1] : undefined;
  const url = azure !== undefined && azure.length <= 24 ? `https://${azure}.vault.azure.net` : local;
  if (url === undefined || portOf(url) > MOST_PORT) {
    throw invalid(
      '/vaultUrl',
      'vaultUrl is the address of a Key Vault such as https://name.vault.azure.net.',
    );
  }
  if (placeOf(url) === placeOf(site.authorityVaultUrl)) {
    throw invalid(
      '/vaultUrl',
      'vaultUrl is the authority vault, which no client may read. Name another vault.',
    );
  }
  return url;
}

function portOf(url: string): number {
  return Number(/:(\d+)$/.exec(url)?.[1] ?? 0);
}

/** Where an address of a vault leads, however it is written: in case, with the port that is meant anyway, by a name of here. */
function placeOf(url: string): string {
  const [, scheme = '', host = '', port] =
    /^(https?):\/\/(\[[^\]]*\]|[^:/]*)(?::0*(\d+))?\/?$/.exec(url.toLowerCase()) ?? [];
  const place = LOOPBACK_NAMES.includes(host) ? 'localhost' : host;
  return `${scheme}://${place}:${port ?? (scheme === 'https' ? '443' : '80')}`;
}

function invalid(pointer: string, message: string): EverleafError {
  return new EverleafError('InvalidInput', message, { details: { pointer } });
}

/** When a cluster's operators are due to be reminded: so many days after its last update, and after each reminder. */
export function reminderDueAt(cluster: Pick<Cluster, 'updatedAt' | 'remindedAt'>, days: number): Date {
  const since = Math.max(cluster.updatedAt.getTime(), cluster.remindedAt?.getTime() ?? 0);
  return addMs(new Date(since), days * DAY_MS);
}

/** Whether a cluster went without an update for longer than the policy wants. */
export function isUpdateOverdue(
  cluster: Pick<Cluster, 'state' | 'updatedAt'>,
  days: number,
  now: Date,
): boolean {
  const dueAt = reminderDueAt({ updatedAt: cluster.updatedAt, remindedAt: null }, days);
  return cluster.state === 'Active' && dueAt <= now;
}

/** What a plan says of a cluster that was not updated for too long; null while there is nothing to say. */
export function planReminder(cluster: Cluster, days: number, now: Date): PlanEntry | null {
  if (!isUpdateOverdue(cluster, days, now)) return null;
  return {
    // A reminder is about the cluster as a whole: no identity has an empty name.
    target: { cluster: cluster.name, name: '' },
    kind: 'reminder',
    action: 'remind',
    dueAt: addMs(cluster.updatedAt, days * DAY_MS),
    windowOpensAt: null,
    windowClosesAt: null,
    reason: 'Overdue',
    text: `remind of cluster ${cluster.name}: it was last updated at ${toInstant(cluster.updatedAt)}`,
    generation: 0,
  };
}
