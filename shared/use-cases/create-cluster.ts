import {
  type Cluster,
  type ClusterSpec,
  checkClusterSpec,
  isSameSpec,
  workloadClients,
} from '../domain/cluster.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { VAULT_BUNDLE_NAME } from '../domain/names.ts';
import type { OperationItem } from '../domain/operation.ts';
import { Secret } from '../domain/secret.ts';
import { readActiveAuthority, readTrustBundle } from './authorities.ts';
import { clusterEvent, updateCluster } from './clusters.ts';
import type { Deps, Run } from './deps.ts';
import { claimOperationId, type KeyedCall } from './keyed-request.ts';
import { type LoginFile, readLoginFile } from './make-login-file.ts';
import { inPool } from './pool.ts';
import { createOrRecreateIdentity } from './recreate-identity.ts';
import { withRememberedSecrets } from './remembered-secrets.ts';
import { insertOperation } from './start-operation.ts';
import { readRotationKey } from './tokens.ts';

/** How often a row is tried while somebody else writes it. */
const TRIES = 10;

export interface CreatedCluster {
  readonly cluster: Cluster;
  readonly identities: readonly Identity[];
  /** Of the agents that have not logged in yet. */
  readonly loginFiles: readonly LoginFile[];
  /** The operation that brings the first credentials into the vault; null when none go there. */
  readonly operation: string | null;
  readonly warnings: readonly string[];
}

/**
 * Makes a workload cluster with its default clients: its row, its identities, then the first certificates and tokens in
 * the vault, which is an operation. The row is written first, so the same request again goes on where a kill stopped
 * it. A deleted cluster can be made again; its identities are then new incarnations.
 * @param spec its vaultUrl was checked by `checkedVaultUrl`
 * @param call the request's Idempotency-Key: the same one again gets the same answer, login files as long as unused
 * @throws EverleafError InvalidInput; AlreadyExists; InUse while it is being deleted; IdempotencyMismatch; NotReady
 */
export async function createCluster(
  deps: Deps,
  run: Run,
  spec: ClusterSpec,
  call: KeyedCall | null,
): Promise<CreatedCluster> {
  checkClusterSpec(spec);
  await readActiveAuthority(deps);
  const remembering = withRememberedSecrets(deps);
  const operationId = await claimOperationId(deps, run, spec.name, call);
  const claimed = await claimCluster(deps, run, spec, operationId);
  await deliverBundle(deps, claimed);
  const rotationKey = await readRotationKey(remembering);
  const made = await inPool(workloadClients(spec), (template) =>
    createOrRecreateIdentity(remembering, run, rotationKey, spec.name, template),
  );
  const identities = made.map(({ identity }) => identity);
  const operation = await deliverFirst(deps, run, claimed, identities);
  const cluster = claimed.state === 'Creating' ? await activate(deps, run, claimed) : claimed;
  const files = await inPool(
    identities.filter(({ delivery }) => delivery === 'agent'),
    (identity) => readLoginFile(remembering, identity),
  );
  return {
    cluster,
    identities,
    loginFiles: files.filter((file) => file !== null),
    operation,
    warnings: made.flatMap(({ warnings }) => warnings),
  };
}

/** The row of the cluster: written now, or found as this very request, or one that a kill cut short, left it. */
async function claimCluster(deps: Deps, run: Run, spec: ClusterSpec, operationId: string): Promise<Cluster> {
  for (let attempt = 1; ; attempt++) {
    const stored = await deps.fleet.cluster(spec.name);
    const found = stored?.value ?? null;
    if (found !== null && found.state !== 'Deleted') return checkClaim(found, spec, operationId);
    const now = deps.clock.now();
    const value: Cluster = {
      v: 1,
      ...spec,
      kind: 'workload',
      state: 'Creating',
      createdAt: now,
      updatedAt: now,
      remindedAt: null,
      createdBy: run.actor.id,
      operationId,
      deliveredBundleId: null,
      revision: (found?.revision ?? 0) + 1,
    };
    try {
      if (stored === null) await deps.fleet.insertCluster(value);
      else await deps.fleet.replaceCluster(value, stored.etag);
      return value;
    } catch (error) {
      if (!isEverleafError(error, 'AlreadyExists', 'Conflict') || attempt === TRIES) throw error;
    }
  }
}

function checkClaim(found: Cluster, spec: ClusterSpec, operationId: string): Cluster {
  if (found.state === 'Deleting') {
    throw new EverleafError(
      'InUse',
      `Cluster "${found.name}" is being deleted. Make it again when that is done.`,
    );
  }
  const isMine = found.operationId === operationId || found.state === 'Creating';
  if (isMine && isSameSpec(found, spec)) return found;
  throw new EverleafError(
    'AlreadyExists',
    found.state === 'Creating'
      ? `Cluster "${found.name}" is being created with other nodes, delivery or vault. Send that request again, or delete it.`
      : `There is a cluster "${found.name}" already.`,
  );
}

/** Clients that read their credentials from a vault of the cluster's own find there what to trust as well. */
async function deliverBundle(deps: Deps, { name, vaultUrl, deliveredBundleId }: Cluster): Promise<void> {
  if (vaultUrl === null) return;
  const bundle = await readTrustBundle(deps);
  if (deliveredBundleId === bundle.id) return;
  await deps.clientVaultAt(vaultUrl).secrets.write(VAULT_BUNDLE_NAME, new Secret(bundle.pem), {
    contentType: 'application/x-pem-file',
    tags: { bundleId: bundle.id },
    expiresAt: null,
  });
  await updateCluster(deps, name, () => ({ deliveredBundleId: bundle.id }));
}

/** @returns the id of the operation, or null when nothing goes to the vault */
async function deliverFirst(
  deps: Deps,
  run: Run,
  { name, operationId, createdAt }: Cluster,
  identities: readonly Identity[],
): Promise<string | null> {
  const items = identities
    .filter(({ delivery }) => delivery === 'vault')
    .flatMap((identity) =>
      (['certificate', 'token'] as const).map(
        (credential): OperationItem => ({
          name: identity.name,
          credential,
          incarnation: identity.incarnation,
          generation: identity[credential].generation,
          task: 'deliver',
          reason: null,
        }),
      ),
    );
  if (operationId === null || items.length === 0) return null;
  const facts = {
    id: operationId,
    kind: 'create',
    cluster: name,
    credentials: ['cloud'],
    force: false,
  } as const;
  return (await insertOperation(deps, run, { ...facts, requestedAt: createdAt }, items)).id;
}

/** The event is written before the row: it may come twice after a kill, and is never missing. */
async function activate(deps: Deps, run: Run, claimed: Cluster): Promise<Cluster> {
  const { name, operationId, nodes } = claimed;
  await deps.identities.commit(name, [
    clusterEvent(deps, run, 'cluster-created', name, { details: { nodes: nodes.length } }),
  ]);
  const cluster = await updateCluster(deps, name, (current) =>
    current.state === 'Creating' && current.operationId === operationId ? { state: 'Active' } : null,
  );
  run.log.write('info', `Created cluster ${name} with ${nodes.length} nodes.`);
  return cluster ?? claimed;
}
