import type { Cluster } from '../domain/cluster.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { identityText } from '../domain/names.ts';
import type { Operation, OperationItem } from '../domain/operation.ts';
import { announceLists } from './announce-lists.ts';
import { closeGates } from './cluster-gates.ts';
import { clusterEvent, identitiesOf, readCluster, updateCluster } from './clusters.ts';
import { cleanVault, endIdentity, noteVault } from './delete-identity.ts';
import type { Deps, Run } from './deps.ts';
import { Failures } from './failures.ts';
import { assertIfMatch, type IfMatch } from './if-match.ts';
import { claimOperationId, type KeyedCall, operationOfKey } from './keyed-request.ts';
import { inPool } from './pool.ts';
import { insertOperation } from './start-operation.ts';

/**
 * Begins the end of a cluster. From here on nothing new can be asked for it; its identities are revoked one after the
 * other by the operation. The row changes first, and names the operation: a kill in between is mended by the timer.
 * A request whose Idempotency-Key began a deletion before is answered with that one, and touches nothing.
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
  const newId = await claimOperationId(deps, run, name, call);
  const known = await operationOfKey(deps, call, newId);
  if (known !== null) return known;
  const before = await readCluster(deps, name);
  if (before.value.kind === 'management') {
    throw new EverleafError(
      'InUse',
      'The management cluster cannot be deleted: everything else depends on it.',
    );
  }
  const check = (current: Cluster) => {
    if (ifMatch === null) return;
    assertIfMatch(ifMatch, { value: current, etag: String(current.revision) }, `cluster "${name}"`);
  };
  if (before.value.state !== 'Deleting') {
    check(before.value);
    // First, so that whatever happens then, the log names who wanted it.
    await deps.identities.commit(name, [
      clusterEvent(deps, run, 'cluster-deletion-requested', name, { details: { operation: newId } }),
    ]);
  }
  const cluster = await updateCluster(deps, name, (current) => {
    if (current.state === 'Deleting' || current.state === 'Deleted') return null;
    check(current);
    return { state: 'Deleting', operationId: newId };
  });
  if (cluster === null || cluster.state !== 'Deleting') {
    throw new EverleafError('NotFound', `There is no cluster "${name}".`);
  }
  const operation = await ensureDeletion(deps, run, cluster, newId);
  if (operation === null) throw new EverleafError('NotFound', `There is no cluster "${name}".`);
  return operation;
}

/**
 * The operation of a cluster that is being deleted: the one that its row names, or another one where that one cannot do
 * it, because it has ended or does something else.
 * @param newId the id of an operation that may be begun for it
 * @returns null when the cluster is gone by now
 */
export async function ensureDeletion(
  deps: Deps,
  run: Run,
  cluster: Cluster,
  newId: string,
): Promise<Operation | null> {
  const { name, operationId } = cluster;
  const known = operationId === null ? null : await deps.operations.operation(operationId);
  if (known !== null && known.value.kind === 'delete' && known.value.finishedAt === null) return known.value;
  if (known === null && operationId !== null) return startDeletion(deps, run, cluster, operationId);
  const named = await updateCluster(deps, name, (current) =>
    current.state === 'Deleting' && current.operationId === operationId ? { operationId: newId } : null,
  );
  if (named?.state !== 'Deleting' || named.operationId === null) return null;
  return startDeletion(deps, run, cluster, named.operationId);
}

async function startDeletion(
  deps: Deps,
  run: Run,
  { name: cluster, epoch }: Cluster,
  id: string,
): Promise<Operation> {
  await closeGates(deps, cluster, epoch);
  const items = (await identitiesOf(deps, cluster)).flatMap((identity): OperationItem[] =>
    identity.deletedAt !== null
      ? []
      : [
          {
            name: identity.name,
            credential: 'certificate',
            incarnation: identity.incarnation,
            generation: identity.certificate.generation,
            task: 'revoke',
            reason: null,
          },
        ],
  );
  const facts = { id, kind: 'delete', cluster, credentials: [], force: true } as const;
  return insertOperation(deps, run, { ...facts, requestedAt: deps.clock.now() }, items);
}

/**
 * Revokes every identity of the cluster for good, then disables what the vault holds of them; nothing is deleted there.
 * A vault that cannot be reached keeps no cluster alive: what it did not do is noted at the identities, and reconcile
 * goes on with that. Safe to repeat after every step, and by several at once.
 * @throws EverleafError the first failure of the storage, after every other identity had its turn
 */
export async function finishDeletion(deps: Deps, run: Run, operation: Operation): Promise<void> {
  const { id, cluster } = operation;
  const isOurs = (found: Cluster | undefined) => found?.state === 'Deleting' && found.operationId === id;
  const row = (await deps.fleet.cluster(cluster))?.value;
  // Gone already, and perhaps made again: what stands there now is not what was to be deleted.
  if (row === undefined || !isOurs(row)) return;
  if (!(await closeGates(deps, cluster, row.epoch))) return;
  const identities = await identitiesOf(deps, cluster);
  // Looked at after the list was read: everything on it belongs to the cluster that is deleted.
  if (!isOurs((await deps.fleet.cluster(cluster))?.value)) return;
  const ended = await endAll(deps, run, identities);
  await announceLists(deps, run);
  await cleanVaults(deps, run, ended);
  await deps.identities.commit(cluster, [
    clusterEvent(deps, run, 'cluster-deleted', cluster, { details: { operation: id } }),
  ]);
  await updateCluster(deps, cluster, (current) => (isOurs(current) ? { state: 'Deleted' } : null));
  run.log.write('info', `Deleted cluster ${cluster}.`);
}

async function endAll(deps: Deps, run: Run, identities: readonly Identity[]): Promise<readonly Identity[]> {
  const failures = new Failures(run);
  const ended = await inPool(identities, (identity) =>
    failures.attempt(`delete ${identityText(identity)}`, () => endIdentity(deps, run, identity)),
  );
  failures.throwFirst();
  return ended.filter((identity) => identity !== null);
}

/** One vault holds them all: when it does not answer for one, the others are not asked about, and stay to be done. */
async function cleanVaults(deps: Deps, run: Run, identities: readonly Identity[]): Promise<void> {
  let unreachable: string | null = null;
  const inVault = identities.filter(({ delivery }) => delivery === 'vault');
  await inPool(inVault, async (identity) => {
    if (unreachable !== null) return noteVault(deps, identity, unreachable);
    const code = await cleanVault(deps, run, identity);
    if (code === 'VaultUnavailable' || code === 'VaultAccessDenied') unreachable = code;
  });
}
