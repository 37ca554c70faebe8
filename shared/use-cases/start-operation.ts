import { FLEET_CHAIN } from '../domain/audit.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { CredentialsGroup } from '../domain/identity.ts';
import type { Operation, OperationItem, OperationKind } from '../domain/operation.ts';
import { planRepair } from '../domain/repair-plan.ts';
import { clusterEvent, identitiesOf, readLiveCluster } from './clusters.ts';
import type { Deps, Run } from './deps.ts';
import { type Plan, planPage } from './get-plan.ts';
import { claimOperationId, type KeyedCall } from './keyed-request.ts';

/** The operator's repair of a cluster, or its monthly update. */
export interface RepairRequest {
  readonly cluster: string;
  readonly kind: 'renew' | 'update';
  readonly credentials: readonly CredentialsGroup[];
  readonly force: boolean;
}

/**
 * Begins a repair: writes down what is to be done to which credential, and tells a worker. Nothing is done yet when this
 * returns; whatever happens then, the operation is gone on with until it is finished.
 * @param call the request's Idempotency-Key; the same one again answers the operation that it began
 * @throws EverleafError NotFound; InUse while the cluster is being deleted; IdempotencyMismatch
 */
export async function startRepair(
  deps: Deps,
  run: Run,
  request: RepairRequest,
  call: KeyedCall | null,
): Promise<Operation> {
  const { cluster, kind, credentials, force } = request;
  await readLiveCluster(deps, cluster);
  const id = await claimOperationId(deps, run, cluster, call);
  const known = await deps.operations.operation(id);
  if (known !== null) return announce(deps, known.value);
  const requestedAt = deps.clock.now();
  const items = (await identitiesOf(deps, cluster)).flatMap((identity) =>
    planRepair(identity, { credentials, force }, requestedAt).map(({ item }) => item),
  );
  return insertOperation(deps, run, { id, kind, cluster, credentials, force, requestedAt }, items);
}

/** What a repair would do now, and why: the same decisions that an operation is made of. Changes nothing. */
export async function planRepairOf(
  deps: Deps,
  request: RepairRequest,
  page: { readonly limit: number; readonly offset: number },
): Promise<Plan> {
  await readLiveCluster(deps, request.cluster);
  const now = deps.clock.now();
  const entries = (await identitiesOf(deps, request.cluster)).flatMap((identity) =>
    planRepair(identity, request, now).map(({ entry }) => entry),
  );
  return planPage(entries, { at: now, computedAt: now, ...page });
}

/**
 * Writes an operation down with all of its items, and tells a worker.
 * @returns the operation; the one that was there already when somebody else wrote it first
 */
export async function insertOperation(
  deps: Deps,
  run: Run,
  facts: Pick<Operation, 'id' | 'cluster' | 'credentials' | 'force' | 'requestedAt'> & {
    kind: OperationKind;
  },
  items: readonly OperationItem[],
): Promise<Operation> {
  const operation: Operation = {
    v: 1,
    ...facts,
    requestedBy: run.actor.id ?? run.actor.kind,
    finishedAt: null,
  };
  const { id, kind, cluster } = operation;
  const event = clusterEvent(deps, run, 'operation-started', cluster, {
    details: { operation: id, kind, items: items.length },
  });
  try {
    await deps.operations.insert(operation, items, event);
  } catch (error) {
    const winner = isEverleafError(error, 'AlreadyExists') ? await deps.operations.operation(id) : null;
    if (winner === null) throw error;
    return announce(deps, winner.value);
  }
  run.log.write(
    'info',
    `Operation ${id} began: ${kind} of ${scopeText(cluster)}, ${items.length} credentials.`,
  );
  return announce(deps, operation);
}

/** What an operation is about, for the log. */
export function scopeText(cluster: string): string {
  return cluster === FLEET_CHAIN ? 'the fleet' : `cluster ${cluster}`;
}

/** A message that is lost or comes twice does no harm: the timer goes on with every operation that is open. */
async function announce(deps: Pick<Deps, 'queue'>, operation: Operation): Promise<Operation> {
  if (operation.finishedAt === null) await deps.queue.sendOperation(operation.id);
  return operation;
}

/** @throws EverleafError NotFound */
export async function readOperation(deps: Pick<Deps, 'operations'>, id: string) {
  const stored = await deps.operations.operation(id);
  if (stored === null) throw new EverleafError('NotFound', 'There is no such operation.');
  return stored;
}
