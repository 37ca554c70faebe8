import type { Cluster } from '../domain/cluster.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Operation, OperationItem } from '../domain/operation.ts';
import { clusterEvent, identitiesOf, readCluster, updateCluster } from './clusters.ts';
import { deleteIdentity } from './delete-identity.ts';
import type { Deps, Run } from './deps.ts';
import { assertIfMatch, type IfMatch } from './if-match.ts';
import { claimOperationId, type KeyedCall } from './keyed-request.ts';
import { inPool } from './pool.ts';
import { insertOperation } from './start-operation.ts';

/**
 * Begins the end of a cluster. From here on nothing new can be asked for it; its identities are revoked one after the
 * other by the operation. The row changes first, and names the operation: a kill in between is mended by the timer.
 * @param ifMatch what the caller expects the cluster to be: its revision is its etag; null for whatever it is
 * @throws EverleafError NotFound; InUse for the management cluster; PreconditionFailed; IdempotencyMismatch
 */
export async function deleteCluster(
  deps: Deps,
  run: Run,
  name: string,
  ifMatch: IfMatch,
  call: KeyedCall | null,
): Promise<Operation> {
  const { value: before } = await readCluster(deps, name);
  if (before.kind === 'management') {
    throw new EverleafError(
      'InUse',
      'The management cluster cannot be deleted: everything else depends on it.',
    );
  }
  const operationId = await claimOperationId(deps, run, name, call);
  const cluster = await updateCluster(deps, name, (current) => {
    if (current.state === 'Deleting' || current.state === 'Deleted') return null;
    if (ifMatch !== null) {
      assertIfMatch(ifMatch, { value: current, etag: String(current.revision) }, `cluster "${name}"`);
    }
    return { state: 'Deleting', operationId };
  });
  if (cluster === null || cluster.state !== 'Deleting') {
    throw new EverleafError('NotFound', `There is no cluster "${name}".`);
  }
  return startDeletion(deps, run, cluster, operationId);
}

/** Writes the operation of a cluster that is being deleted, or finds it. */
export async function startDeletion(
  deps: Deps,
  run: Run,
  { name, operationId }: Cluster,
  newId: string,
): Promise<Operation> {
  const id = operationId ?? newId;
  const items = (await identitiesOf(deps, name)).flatMap((identity): OperationItem[] =>
    identity.deletedAt !== null
      ? []
      : (['certificate', 'token'] as const).map((credential) => ({
          name: identity.name,
          credential,
          incarnation: identity.incarnation,
          generation: identity[credential].generation,
          task: 'revoke',
          reason: null,
        })),
  );
  const facts = { id, kind: 'delete', cluster: name, credentials: [], force: true } as const;
  return insertOperation(deps, run, { ...facts, requestedAt: deps.clock.now() }, items);
}

/**
 * Revokes every identity of the cluster for good, and disables what the vault holds of them; nothing is deleted there.
 * Safe to repeat after every step.
 * @returns true when the cluster is gone
 * @throws EverleafError the first failure, after every other identity had its turn
 */
export async function finishDeletion(deps: Deps, run: Run, operation: Operation): Promise<boolean> {
  const { id, cluster } = operation;
  const isOurs = (found: Cluster | undefined) => found?.state === 'Deleting' && found.operationId === id;
  // Gone already, and perhaps made again: what stands there now is not what was to be deleted.
  if (!isOurs((await deps.fleet.cluster(cluster))?.value)) return true;
  const failures: unknown[] = [];
  await inPool(await identitiesOf(deps, cluster), async (identity) => {
    try {
      await deleteIdentity(deps, run, identity);
    } catch (error) {
      failures.push(error);
      run.log.write('error', `Could not delete ${cluster}/${identity.name}: ${String(error)}`);
    }
  });
  if (failures.length > 0) throw failures[0];
  await deps.identities.commit(cluster, [
    clusterEvent(deps, run, 'cluster-deleted', cluster, { details: { operation: id } }),
  ]);
  await updateCluster(deps, cluster, (current) => (isOurs(current) ? { state: 'Deleted' } : null));
  run.log.write('info', `Deleted cluster ${cluster}.`);
  return true;
}
