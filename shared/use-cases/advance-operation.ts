import { isEverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import type { IdentityId } from '../domain/names.ts';
import { isSettled, type Operation, type OperationItem } from '../domain/operation.ts';
import { clusterEvent, updateCluster } from './clusters.ts';
import { finishDeletion } from './delete-cluster.ts';
import type { Deps, Run } from './deps.ts';
import { ensureSuccessor } from './ensure-successor.ts';
import { Failures } from './failures.ts';
import { countProgress, type ItemView, viewItems } from './get-operation.ts';
import { inPool } from './pool.ts';
import { withRememberedSecrets } from './remembered-secrets.ts';
import { takeUp } from './renew-due.ts';
import { scopeText } from './start-operation.ts';
import { goOnWithTaint } from './taint-waves.ts';
import { moveDue, updateIdentity, withCredential } from './update-identity.ts';
import { takeFromBudget } from './vault-budget.ts';

/**
 * Goes on with an operation: marks every credential that it is about as wanted now, and sends the first of them to the
 * workers. It renews nothing itself, so it can be killed anywhere and called again, also by several at once: a mark
 * counts for the generation that the item names, and a credential that has moved past it is left alone.
 *
 * The vault's budget holds here as for a scan: a run sends what the vault takes in one minute, so that a repair of a
 * cluster begins at once; the rest stands in the due index, and the next scans send it within theirs.
 * @throws EverleafError the first failure, after every other item had its turn
 */
export async function advanceOperation(deps: Deps, run: Run, id: string): Promise<void> {
  const stored = await deps.operations.operation(id);
  if (stored === null || stored.value.finishedAt !== null) return;
  const operation = stored.value;
  if (operation.kind === 'delete') {
    await finishDeletion(deps, run, operation);
    return finish(deps, run, operation, stored.etag, await viewItems(deps, operation));
  }
  if (operation.kind === 'taint') {
    const tainted = (await deps.fleet.authorities()).find(({ taint }) => taint?.operationId === id);
    if (tainted !== undefined) await goOnWithTaint(deps, run, tainted.id);
    return settleOperation(deps, run, id);
  }
  if (operation.kind === 'update') await markUpdated(deps, operation);
  const views = await viewItems(deps, operation);
  const remembering = withRememberedSecrets(deps);
  const failures = new Failures(run);
  const open = views.filter(({ progress: { state } }) => state === 'queued' || state === 'failed');
  await inPool(byIdentity(open), (ofOne) =>
    failures.attempt(`begin with ${ofOne[0]?.item.name} of operation ${id}`, async () => {
      for (const { item } of ofOne) await mark(remembering, run, operation, item);
    }),
  );
  await sendFirst(deps, run, operation);
  await settleOperation(deps, run, id);
  failures.throwFirst();
}

/** What is about one identity comes one after the other: two writers of its row would only make each other repeat. */
function byIdentity(views: readonly ItemView[]): readonly (readonly ItemView[])[] {
  const groups = new Map<string, ItemView[]>();
  for (const view of views) groups.set(view.item.name, [...(groups.get(view.item.name) ?? []), view]);
  return [...groups.values()];
}

/** The cluster counts as updated since the update was asked for: what it renews begins a new life from then on. */
async function markUpdated(deps: Deps, { cluster, requestedAt }: Operation): Promise<void> {
  await updateCluster(deps, cluster, ({ updatedAt }) =>
    updatedAt >= requestedAt ? null : { updatedAt: requestedAt, remindedAt: null },
  );
}

/** Wants a credential's next one now, unless it is there already or was wanted since. */
async function mark(deps: Deps, run: Run, operation: Operation, item: OperationItem): Promise<void> {
  const id: IdentityId = { cluster: operation.cluster, name: item.name };
  const { credential: kind, generation, incarnation } = item;
  if (item.task === 'deliver') return;
  let isAgentToken = false;
  await updateIdentity(deps, id, (current) => {
    isAgentToken = false;
    if (current.incarnation !== incarnation || current[kind].generation !== generation) return null;
    if (current.revokedAt !== null || current.deletedAt !== null) return null;
    if (kind === 'token' && current.delivery === 'agent') {
      isAgentToken = item.task === 'rotate';
      return null;
    }
    return asWanted(current, kind, operation.requestedAt, deps.clock.now());
  });
  if (!isAgentToken) return;
  try {
    await ensureSuccessor(deps, run, id, { isForced: true, isHandover: true, generation });
  } catch (error) {
    // Revoked meanwhile: the item is skipped then.
    if (!isEverleafError(error, 'Revoked', 'NotFound')) throw error;
  }
}

function asWanted(current: Identity, kind: OperationItem['credential'], requestedAt: Date, now: Date) {
  const { forcedAt } = current[kind];
  if (forcedAt !== null && forcedAt >= requestedAt) return null;
  // What failed before the operator looked is tried at once, and its tries are counted anew.
  const marked = withCredential(current, kind, { forcedAt: requestedAt, failure: null });
  // One that is on the queue is being worked on: its message does what is wanted.
  if (marked[kind].queuedAt !== null) return { identity: marked, changes: [] };
  return moveDue(marked, kind, now);
}

/** One that was begun before and failed counts as running, and no message for it is under way. */
function isToBeSent({ item, identity, progress: { state } }: ItemView): boolean {
  if (identity?.delivery !== 'vault' || (state !== 'queued' && state !== 'running')) return false;
  return identity[item.credential].queuedAt === null;
}

/** Sends what the vault takes in one minute, if the scan and other operations have left so much of its budget. */
async function sendFirst(deps: Deps, run: Run, operation: Operation): Promise<void> {
  const inVault = (await viewItems(deps, operation)).filter(isToBeSent);
  const wanted = Math.min(inVault.length, deps.policy.vaultKeysPerMinute);
  const first = wanted === 0 ? [] : inVault.slice(0, await takeFromBudget(deps, run, wanted));
  await inPool(byIdentity(first), async (ofOne) => {
    for (const { item, identity } of ofOne) {
      const kind = item.credential;
      const key = identity?.[kind].dueKey ?? null;
      if (key === null) continue;
      await takeUp(deps, run, { identity: { cluster: operation.cluster, name: item.name }, kind, key });
    }
  });
}

/**
 * Records the end of an operation when nothing of it is left that Everleaf would do next. Whoever sees it first writes
 * it down.
 */
export async function settleOperation(deps: Deps, run: Run, id: string): Promise<void> {
  const stored = await deps.operations.operation(id);
  if (stored === null || stored.value.finishedAt !== null || stored.value.kind === 'delete') return;
  const views = await viewItems(deps, stored.value);
  if (isSettled(countProgress(views))) await finish(deps, run, stored.value, stored.etag, views);
}

async function finish(
  deps: Deps,
  run: Run,
  operation: Operation,
  etag: string,
  views: readonly ItemView[],
): Promise<void> {
  const { id, kind, cluster } = operation;
  const { total, done, waiting, failed, skipped } = countProgress(views);
  const event = clusterEvent(deps, run, 'operation-finished', cluster, {
    details: { operation: id, kind, total, done, waiting, failed, skipped },
  });
  try {
    await deps.operations.finish({ ...operation, finishedAt: deps.clock.now() }, etag, event);
    run.log.write('info', `Operation ${id} is finished: ${kind} of ${scopeText(cluster)}.`);
  } catch (error) {
    // Somebody else saw it first.
    if (!isEverleafError(error, 'Conflict')) throw error;
  }
}
