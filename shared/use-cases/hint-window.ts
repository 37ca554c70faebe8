import { MINUTE_MS } from '../domain/instants.ts';
import { sharedWindow } from '../domain/rate-window.ts';
import type { Deps, Run } from './deps.ts';
import { hashedName, orLog } from './source-window.ts';

/** One look at one thing in so long, whatever hints come in: a flood of them costs a count each. */
const WINDOW_MS = 5 * MINUTE_MS;

/**
 * Whether nobody has looked at something in this window, on whichever instance. It counts before the look, so that a look
 * that fails is not repeated by each of a flood; what is missed by that, and what changes after the look, the timers find.
 * @param what a text of its own for everything that is looked at
 * @returns false as well when it cannot be counted
 */
export async function isFirstLook(
  deps: Pick<Deps, 'clock' | 'counters' | 'digest'>,
  run: Run,
  what: string,
): Promise<boolean> {
  const name = hashedName(deps, `everleaf/vault-hint|${what}`);
  const looks = await orLog(run, 'count a look after an event of a vault', () =>
    deps.counters.add(name, sharedWindow(deps.clock.now(), WINDOW_MS)),
  );
  return looks === 1;
}

/** Whether two addresses lead to the same vault: scheme, host and port are all of it. */
export function isOfVault(vaultOrigin: string, vaultUrl: string): boolean {
  return URL.canParse(vaultUrl) && new URL(vaultUrl).origin === vaultOrigin;
}
