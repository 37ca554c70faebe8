import type { Operation } from '../domain/operation.ts';
import { taintProgress } from '../domain/taint-progress.ts';
import type { Deps } from './deps.ts';
import type { ItemView } from './get-operation.ts';
import { inPool } from './pool.ts';
import { itemIdentity, readSigned } from './tainted-identities.ts';

const NOTHING = { isVaults: false, held: 0 };

/**
 * The items of a taint's operation beside their identities. Once the authority is revoked nothing that it signed counts for
 * anything: whoever had not come by then has to log in again.
 */
export async function viewTaintItems(
  deps: Pick<Deps, 'fleet' | 'operations' | 'identities' | 'revocationRules' | 'clock'>,
  operation: Operation,
): Promise<readonly ItemView[]> {
  const [items, authorities, rules] = await Promise.all([
    deps.operations.items(operation.id),
    deps.fleet.authorities(),
    deps.revocationRules.all(),
  ]);
  const authority = authorities.find(({ taint }) => taint?.operationId === operation.id) ?? null;
  return inPool(items, async (item) => {
    const identity = (await deps.identities.identity(itemIdentity(item)))?.value ?? null;
    const left =
      identity === null || authority === null
        ? NOTHING
        : (await readSigned(deps, identity, authority.id, rules)).left;
    return { item, identity, progress: taintProgress(operation, item, identity, left) };
  });
}
