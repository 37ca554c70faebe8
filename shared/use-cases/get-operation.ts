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
import { identitiesOf } from './clusters.ts';
import type { Deps } from './deps.ts';
import { readOperation } from './start-operation.ts';

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
    state: operationState(operation, counts),
    counts,
    items: views.slice(page.offset, end),
    nextCursor: end < views.length ? String(end) : null,
    hasLoginFiles: views.some(isUnusedSuccessor),
  };
}

/** Every item of an operation beside its identity: one walk over the cluster. */
export async function viewItems(
  deps: Pick<Deps, 'operations' | 'identities'>,
  operation: Operation,
): Promise<readonly ItemView[]> {
  const [items, identities] = await Promise.all([
    deps.operations.items(operation.id),
    identitiesOf(deps, operation.cluster),
  ]);
  const byName = new Map(identities.map((identity) => [identity.name.toLowerCase(), identity]));
  return items.map((item) => {
    const identity = byName.get(item.name.toLowerCase()) ?? null;
    return { item, identity, progress: itemProgress(operation, item, identity) };
  });
}

export function countProgress(views: readonly ItemView[]): OperationCounts {
  return countItems(views.map(({ progress }) => progress.state));
}

/** A token that the operation made for an agent, and that nobody has used yet: it can still be told. */
export function isUnusedSuccessor({ item, identity, progress }: ItemView): boolean {
  return (
    item.credential === 'token' &&
    item.task === 'rotate' &&
    progress.state === 'waiting' &&
    identity?.delivery === 'agent' &&
    identity.token.usedGeneration < identity.token.generation
  );
}
