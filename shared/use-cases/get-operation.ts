import type { Identity } from '../domain/identity.ts';
import {
  countItems,
  type ItemProgress,
  itemProgress,
  type Operation,
  type OperationCounts,
  type OperationItem,
  type OperationState,
  operationState,
} from '../domain/operation.ts';
import { findRule } from '../domain/revocation.ts';
import { identitiesOf } from './clusters.ts';
import type { Deps } from './deps.ts';
import { readOperation } from './start-operation.ts';
import { viewTaintItems } from './view-taint.ts';

/** An item, the identity that it is about, and how it stands. */
export interface ItemView {
  readonly item: OperationItem;
  readonly identity: Identity | null;
  readonly progress: ItemProgress;
}

export interface OperationView {
  readonly operation: Operation;
  readonly state: OperationState;
  readonly counts: OperationCounts;
  readonly items: readonly ItemView[];
  readonly nextCursor: string | null;
  readonly hasLoginFiles: boolean;
}

/**
 * An operation as it stands now, one page of its items, judged by the identities' records.
 * @throws EverleafError NotFound
 */
export async function getOperation(
  deps: Deps,
  id: string,
  page: { readonly limit: number; readonly offset: number },
): Promise<OperationView> {
  const operation = (await readOperation(deps, id)).value;
  const views = await viewItems(deps, operation);
  const counts = countProgress(views);
  const end = page.offset + page.limit;
  return {
    operation,
    state: operationState(operation, counts, views.filter(isOvertaken).length),
    counts,
    items: views.slice(page.offset, end),
    nextCursor: end < views.length ? String(end) : null,
    hasLoginFiles: views.some(isUnusedSuccessor),
  };
}

/** Every item of an operation beside its identity: one walk over the cluster, or a look at each identity of a taint. */
export async function viewItems(
  deps: Pick<Deps, 'fleet' | 'operations' | 'identities' | 'revocationRules' | 'clock'>,
  operation: Operation,
): Promise<readonly ItemView[]> {
  if (operation.kind === 'taint') return viewTaintItems(deps, operation);
  const [items, identities, rules] = await Promise.all([
    deps.operations.items(operation.id),
    identitiesOf(deps, operation.cluster),
    deps.revocationRules.all(),
  ]);
  const now = deps.clock.now();
  const byName = new Map(identities.map((identity) => [identity.name.toLowerCase(), identity]));
  return items.map((item) => {
    const identity = byName.get(item.name.toLowerCase()) ?? null;
    const isRuledOut = identity !== null && findRule(rules, identity, now) !== null;
    return { item, identity, progress: itemProgress(operation, item, identity, isRuledOut) };
  });
}

export function countProgress(views: readonly ItemView[]): OperationCounts {
  return countItems(views.map(({ progress }) => progress.state));
}

/** There was something to do, and its identity was deleted or revoked first. */
function isOvertaken({ item, progress }: ItemView): boolean {
  return progress.state === 'skipped' && item.task !== 'none';
}

/**
 * A token that the operation itself made for an agent, and that nobody has used yet: it can still be told. One that the
 * agent or another operator asked for since is theirs.
 */
export function isUnusedSuccessor({ item, identity, progress }: ItemView): boolean {
  const isWaiting = item.credential === 'token' && item.task === 'rotate' && progress.state === 'waiting';
  if (!isWaiting || identity?.delivery !== 'agent') return false;
  const { generation, handoverGeneration, usedGeneration } = identity.token;
  return (
    generation === item.generation + 1 && handoverGeneration === generation && usedGeneration < generation
  );
}
