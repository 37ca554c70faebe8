import { type Cluster, isUpdateOverdue, reminderDueAt } from '../domain/cluster.ts';
import { addMs, MINUTE_MS, toInstant } from '../domain/instants.ts';
import { advanceOperation } from './advance-operation.ts';
import { clusterEvent, updateCluster } from './clusters.ts';
import { ensureDeletion } from './delete-cluster.ts';
import type { Deps, Run } from './deps.ts';
import { Failures } from './failures.ts';
import { forgetOldRequests, newOperationId } from './keyed-request.ts';
import { renewDue, type ScanOutcome } from './renew-due.ts';
import { replaceRuled } from './replace-ruled.ts';
import { needForRoll, rollAuthority } from './roll-authority.ts';
import { tendTaints } from './taint-waves.ts';

/**
 * How long a run may begin with other things after its scan. Well below what a function may take (`functionTimeout` in
 * host.json), so that one call that hangs does not end the run.
 */
const TENDING_MS = 4 * MINUTE_MS;

/**
 * What the timer does every time: makes due what a rule revokes in the vaults, scans for what is due, then goes on with
 * the clusters that are left half deleted and the operations that are open, and reminds of clusters that nobody updates.
 * Nothing that asks a vault comes before the scan, because nothing else may keep credentials from being renewed, but for
 * an authority where there is none that signs; what there is no time for the next run does. An authority's step that is
 * late is taken here as well: its own timer comes once a day, and may have been missed for months.
 * @returns null when another scan holds the lease
 * @throws EverleafError the first failure, after everything else had its turn
 */
export async function tendFleet(deps: Deps, run: Run): Promise<ScanOutcome | null> {
  const failures = new Failures(run);
  const attempt = <T>(what: string, action: () => Promise<T>) =>
    failures.attempt(`go on with ${what}`, action);
  // Asks the record alone, and what it makes due is to be renewed by this very scan.
  await attempt('what revocation rules revoke', () => replaceRuled(deps));
  const roll = await attempt('the authority', () => needForRoll(deps));
  // While nobody can sign, nothing that the scan sends to work could be done.
  if (roll === 'now') await attempt('the authority', () => rollAuthority(deps, run));
  await attempt('what tainted authorities signed', () => tendTaints(deps, run));
  const outcome = await attempt('what is due', () => renewDue(deps, run));
  if (roll === 'soon') await attempt('the authority', () => rollAuthority(deps, run));
  const tending = [
    ...(await deps.fleet.clusters()).map((cluster) => ({
      what: `cluster ${cluster.name}`,
      action: () => tendCluster(deps, run, cluster),
    })),
    ...(await deps.operations.open()).map((id) => ({
      what: `operation ${id}`,
      action: () => advanceOperation(deps, run, id),
    })),
  ];
  const deadline = addMs(deps.clock.now(), TENDING_MS);
  for (const [i, { what, action }] of tending.entries()) {
    if (deps.clock.now() > deadline) {
      run.log.write(
        'warn',
        `No time for ${what} and ${tending.length - i - 1} others; the next run goes on.`,
      );
      break;
    }
    await attempt(what, action);
  }
  await attempt('the Idempotency-Keys', () => forgetOldRequests(deps, run));
  failures.throwFirst();
  return outcome;
}

async function tendCluster(deps: Deps, run: Run, cluster: Cluster): Promise<void> {
  if (cluster.state === 'Deleting') {
    await ensureDeletion(deps, run, cluster, newOperationId(deps, cluster.name));
    return;
  }
  // The list is enough to see that there is nothing to say, which is how it is on most days.
  if (isUpdateOverdue(cluster, deps.policy.updateReminderDays, deps.clock.now())) {
    await remind(deps, run, cluster);
  }
}

/**
 * One event for each period that passes without an update. It is written before the row: after a kill in between, or by
 * two timers at once, it may come twice, and is never missing.
 */
async function remind(deps: Deps, run: Run, { name }: Cluster): Promise<void> {
  const now = deps.clock.now();
  const days = deps.policy.updateReminderDays;
  const isDue = (cluster: Cluster | undefined): cluster is Cluster =>
    cluster !== undefined && isUpdateOverdue(cluster, days, now) && reminderDueAt(cluster, days) <= now;
  const found = (await deps.fleet.cluster(name))?.value;
  if (!isDue(found)) return;
  const updatedAt = toInstant(found.updatedAt);
  await deps.identities.commit(name, [
    clusterEvent(deps, run, 'update-reminder', name, { details: { updatedAt, days } }),
  ]);
  await updateCluster(deps, name, (current) => (isDue(current) ? { remindedAt: now } : null));
  run.log.write('warn', `Cluster ${name} was not updated since ${updatedAt}, more than ${days} days ago.`);
}
