import { type Cluster, type ClusterSpec, isSameSpec } from '../domain/cluster.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { Deps, Run } from './deps.ts';
import { type KeyedCall, operationOfKey } from './keyed-request.ts';

/** How often a row is tried while somebody else writes it. */
const TRIES = 10;

/**
 * The row of a cluster that is to be made: written now, or found as this very request, or one that a kill cut short, left
 * it. `Active` when the request was answered before: then there is nothing left to make.
 * @param creationId stands for the request; the same request with the same key has the same one
 * @throws EverleafError AlreadyExists; InUse while it is being deleted; IdempotencyMismatch when the request made a
 *   cluster that was deleted since
 */
export async function claimCluster(
  deps: Deps,
  run: Run,
  spec: ClusterSpec,
  creationId: string,
  call: KeyedCall | null,
): Promise<Cluster> {
  for (let attempt = 1; ; attempt++) {
    const stored = await deps.fleet.cluster(spec.name);
    const found = stored?.value ?? null;
    if (found !== null && found.state !== 'Deleted') return checkClaim(found, spec, creationId);
    if (
      found?.creationId === creationId ||
      (found !== null && (await operationOfKey(deps, call, creationId)) !== null)
    ) {
      throw new EverleafError(
        'IdempotencyMismatch',
        `Cluster "${spec.name}", which this Idempotency-Key made, was deleted since. Choose another key to make it again.`,
      );
    }
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
      operationId: creationId,
      creationId,
      epoch: (found?.epoch ?? 0) + 1,
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

function checkClaim(found: Cluster, spec: ClusterSpec, creationId: string): Cluster {
  if (found.state === 'Deleting') {
    throw new EverleafError(
      'InUse',
      `Cluster "${found.name}" is being deleted. Make it again when that is done.`,
    );
  }
  const isMine = found.operationId === creationId || found.state === 'Creating';
  if (isMine && isSameSpec(found, spec)) return found;
  throw new EverleafError(
    'AlreadyExists',
    found.state === 'Creating'
      ? `Cluster "${found.name}" is being created with other nodes, delivery or vault. Send that request again, or delete it.`
      : `There is a cluster "${found.name}" already.`,
  );
}
