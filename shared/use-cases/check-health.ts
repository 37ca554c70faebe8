import { canIssue, isActive } from '../domain/authority.ts';
import { errorCodeOf } from '../domain/errors.ts';
import type { Deps } from './deps.ts';

/** Whether the service can do its work now. Codes and nothing else: the route is open to everybody. */
export interface Health {
  readonly healthy: boolean;
  readonly codes: readonly string[];
}

/** Reads the record and looks at the authority; asks nothing of the vault, which has its own limits. */
export async function checkHealth(deps: Pick<Deps, 'fleet' | 'clock'>): Promise<Health> {
  try {
    const deployment = await deps.fleet.deployment();
    const authority = (await deps.fleet.authorities()).find(isActive);
    if (authority === undefined) return { healthy: false, codes: ['NotReady'] };
    const codes = [
      ...(canIssue(authority, deps.clock.now()) ? [] : ['AuthorityEnding']),
      ...(deployment?.value.readyAt == null ? ['FirstStartUnfinished'] : []),
    ];
    return { healthy: codes.length === 0, codes };
  } catch (error) {
    return { healthy: false, codes: [errorCodeOf(error)] };
  }
}
