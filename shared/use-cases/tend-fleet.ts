import { type Cluster, isUpdateOverdue, reminderDueAt } from '../domain/cluster.ts';
import { toInstant } from '../domain/instants.ts';
import { advanceOperation } from './advance-operation.ts';
import { clusterEvent, updateCluster } from './clusters.ts';
import { startDeletion } from './delete-cluster.ts';
import type { Deps, Run } from './deps.ts';
import { forgetOldRequests, newOperationId } from './keyed-request.ts';
import { renewDue, type ScanOutcome } from './renew-due.ts';
import { replaceRuled } from './replace-ruled.ts';

/**
 * What the timer does every time: goes on with the operations that are open and the clusters that are left half deleted,
 * reminds of clusters that nobody updates, makes due what a rule revokes in the vaults, and scans for what is due.
 * @returns null when another scan holds the lease
 * @throws EverleafError the first failure, after everything else had its turn
 */
export async function tendFleet(deps: Deps, run: Run): Promise<ScanOutcome | null> {
  const failures: unknown[] = [];
  const attempt = async (what: string, action: () => Promise<unknown>) => {
    try {
      await action();
    } catch (error) {
      failures.push(error);
      run.log.write('error', `Could not go on with ${what}: ${String(error)}`);
    }
  };
  for (const cluster of await deps.fleet.clusters()) {
    await attempt(`cluster ${cluster.name}`, () => tendCluster(deps, run, cluster));
  }
  for (const id of await deps.operations.open()) {
    await attempt(`operation ${id}`, () => advanceOperation(deps, run, id));
  }
  await attempt('the Idempotency-Keys', () => forgetOldRequests(deps, run));
  await attempt('what revocation rules revoke', () => replaceRuled(deps));
  const outcome = await renewDue(deps, run);
  if (failures.length > 0) throw failures[0];
  return outcome;
}

async function tendCluster(deps: Deps, run: Run, cluster: Cluster): Promise<void> {
  const { name, state, operationId } = cluster;
  if (state === 'Deleting') {
    const known = operationId === null ? null : await deps.operations.operation(operationId);
    if (known === null) await startDeletion(deps, run, cluster, newOperationId(deps, name));
    return;
  }
  // The list is enough to see that there is nothing to say, which is how it is on most days.
  if (isUpdateOverdue(cluster, deps.policy.updateReminderDays, deps.clock.now())) {
    await remind(deps, run, cluster);
  }
}

/** One event for each period that passes without an update. Of several timers the first to write the row reminds. */
async function remind(deps: Deps, run: Run, { name }: Cluster): Promise<void> {
  const now = deps.clock.now();
  const days = deps.policy.updateReminderDays;
  let isMine = false;
  const cluster = await updateCluster(deps, name, (current) => {
    isMine = isUpdateOverdue(current, days, now) && reminderDueAt(current, days) <= now;
    return isMine ? { remindedAt: now } : null;
  });
  if (!isMine || cluster === null) return;
  const { updatedAt } = cluster;
  run.log.write(
    'warn',
    `Cluster ${name} was not updated since ${toInstant(updatedAt)}, more than ${days} days ago.`,
  );
  await deps.identities.commit(name, [
    clusterEvent(deps, run, 'update-reminder', name, { details: { updatedAt: toInstant(updatedAt), days } }),
  ]);
}
