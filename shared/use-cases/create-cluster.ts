import { type Cluster, type ClusterSpec, checkClusterSpec, workloadClients } from '../domain/cluster.ts';
import { EverleafError } from '../domain/errors.ts';
import type { ClientTemplate, Identity } from '../domain/identity.ts';
import { wholeSecond } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import type { OperationItem } from '../domain/operation.ts';
import type { Secret } from '../domain/secret.ts';
import { readActiveAuthority } from './authorities.ts';
import { claimCluster } from './claim-cluster.ts';
import { openGates } from './cluster-gates.ts';
import { clusterEvent, updateCluster } from './clusters.ts';
import { cleanVault, endIdentity } from './delete-identity.ts';
import { deliverBundleTo } from './deliver-bundle.ts';
import type { Deps, Run } from './deps.ts';
import { claimOperationId, type KeyedCall } from './keyed-request.ts';
import { type LoginFile, readLoginFile } from './make-login-file.ts';
import { inPool } from './pool.ts';
import { recordLoginFiles } from './record-login-files.ts';
import { type CreatedIdentity, createOrRecreateIdentity } from './recreate-identity.ts';
import { withRememberedSecrets } from './remembered-secrets.ts';
import { insertOperation } from './start-operation.ts';
import { readRotationKey } from './tokens.ts';

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
 * it; once the cluster is there, it makes nothing any more. A deleted cluster can be made again; its identities are then
 * new incarnations.
 * @param spec its vaultUrl was checked by `checkedVaultUrl`
 * @param call the request's Idempotency-Key: the same one again gets the same answer, login files as long as unused
 * @throws EverleafError InvalidInput; AlreadyExists, also for a client's name that something else has; InUse while it is
 *   being deleted, or when somebody deletes it meanwhile; IdempotencyMismatch; NotReady
 */
export async function createCluster(
  deps: Deps,
  run: Run,
  spec: ClusterSpec,
  call: KeyedCall | null,
): Promise<CreatedCluster> {
  checkClusterSpec(spec);
  await readActiveAuthority(deps);
  const creationId = await claimOperationId(deps, run, spec.name, call);
  const claimed = await claimCluster(deps, run, spec, creationId, call);
  const remembering = withRememberedSecrets(deps);
  if (claimed.state === 'Active') return answerAgain(remembering, run, claimed);
  await openGates(deps, claimed.name, claimed.epoch);
  await deliverBundleTo(deps, claimed);
  const rotationKey = await readRotationKey(remembering);
  const made = await inPool(workloadClients(spec), (template) =>
    makeClient(remembering, run, rotationKey, claimed, template),
  );
  const identities = made.map(({ identity }) => identity);
  const operation = await deliverFirst(deps, run, claimed, identities);
  const cluster = await activate(deps, run, claimed);
  return {
    cluster,
    identities,
    loginFiles: await tellFirstTokens(remembering, run, claimed, identities),
    operation,
    warnings: made.flatMap(({ warnings }) => warnings),
  };
}

/** The answer to a request that was answered before: what it made and still is, and nothing new. */
async function answerAgain(deps: Deps, run: Run, cluster: Cluster): Promise<CreatedCluster> {
  const { name, operationId } = cluster;
  const found = await inPool(workloadClients(cluster), (template) =>
    deps.identities.identity({ cluster: name, name: template.name }),
  );
  const identities = found.flatMap((stored) => (stored?.value.deletedAt === null ? [stored.value] : []));
  const operation = operationId === null ? null : await deps.operations.operation(operationId);
  return {
    cluster,
    identities,
    loginFiles: await tellFirstTokens(deps, run, cluster, identities),
    operation: operation?.value.id ?? null,
    warnings: [],
  };
}

/**
 * The login files of the agents that this cluster was made with, and that nobody has used yet. Tokens that somebody asked
 * for since, and identities that were made again by themselves, are for those who asked.
 */
async function tellFirstTokens(
  deps: Deps,
  run: Run,
  { name, creationId }: Cluster,
  identities: readonly Identity[],
): Promise<readonly LoginFile[]> {
  const mine = identities.filter(
    (identity) =>
      identity.delivery === 'agent' &&
      identity.creationId === creationId &&
      identity.token.predecessorExpiresAt === null,
  );
  const told = await inPool(mine, async (identity) => ({
    identity,
    file: await readLoginFile(deps, identity),
  }));
  const unused = told.flatMap(({ identity, file }) => (file === null ? [] : [{ identity, file }]));
  await recordLoginFiles(
    deps,
    run,
    name,
    unused.map(({ identity }) => identity),
  );
  return unused.map(({ file }) => file);
}

async function makeClient(
  deps: Deps,
  run: Run,
  rotationKey: Secret<Uint8Array>,
  cluster: Cluster,
  template: ClientTemplate,
): Promise<CreatedIdentity> {
  const make = () => createOrRecreateIdentity(deps, run, rotationKey, cluster.name, template, {}, cluster);
  let made = await make();
  const { identity, isNew } = made;
  const isLeftOver =
    identity.creationId !== cluster.creationId && identity.createdAt < wholeSecond(cluster.createdAt);
  if (!isNew && isLeftOver) {
    // It lived on in the cluster of this name that was deleted: nothing of it may come into this one.
    const ended = await endIdentity(deps, run, identity);
    if (ended?.delivery === 'vault') await cleanVault(deps, run, ended);
    made = await make();
  }
  const { clientType, delivery, credentials } = made.identity;
  const isAsWanted =
    clientType === template.clientType &&
    delivery === template.delivery &&
    credentials === template.credentials;
  if (isAsWanted) return made;
  throw new EverleafError(
    'AlreadyExists',
    `${identityText(made.identity)} is there already as ${clientType} with ${delivery} delivery, and the cluster needs ` +
      `${template.clientType} with ${template.delivery} delivery. Delete it, and send the request again.`,
  );
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

/**
 * The event is written before the row: it may come twice after a kill, and is never missing.
 * @throws EverleafError InUse when somebody deleted the cluster meanwhile
 */
async function activate(deps: Deps, run: Run, claimed: Cluster): Promise<Cluster> {
  const { name, epoch, nodes } = claimed;
  await deps.identities.commit(name, [
    clusterEvent(deps, run, 'cluster-created', name, { details: { nodes: nodes.length } }),
  ]);
  const cluster = await updateCluster(deps, name, (current) =>
    current.state === 'Creating' && current.epoch === epoch ? { state: 'Active' } : null,
  );
  if (cluster?.state !== 'Active' || cluster.epoch !== epoch) {
    throw new EverleafError('InUse', `Cluster "${name}" was deleted while it was made.`);
  }
  run.log.write('info', `Created cluster ${name} with ${nodes.length} nodes.`);
  return cluster;
}
