import { EverleafError } from '../../shared/domain/errors.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { interceptPorts, type PortCall } from './intercepted-ports.ts';

/** What is to happen at one call of a port, counted from 1. */
export interface Fault {
  readonly deps: Deps;
  /** The call that it happened at; null when there were fewer calls. */
  hitAt(): PortCall | null;
}

/**
 * The process dies before its n-th call of a port, which is as good as dying after the one before: nothing but
 * computing lies between. From then on no call does anything, whatever the code still tries.
 * @param isCounted picks the calls that count, where others come in no certain order
 */
export function dieBefore(n: number, deps: Deps, isCounted: (call: PortCall) => boolean = () => true): Fault {
  let count = 0;
  let hit: PortCall | null = null;
  const dying = interceptPorts(deps, async (call, proceed) => {
    if (isCounted(call)) count += 1;
    if (count >= n) {
      hit ??= call;
      throw new Error('The process died here.');
    }
    return proceed();
  });
  return { deps: dying, hitAt: () => hit };
}

/** The n-th call does its work, and its answer is lost: the process lives and gets an error for it. */
export function loseAnswer(
  n: number,
  deps: Deps,
  isCounted: (call: PortCall) => boolean = () => true,
): Fault {
  let count = 0;
  let hit: PortCall | null = null;
  const losing = interceptPorts(deps, async (call, proceed) => {
    if (!isCounted(call)) return proceed();
    count += 1;
    if (count !== n) return proceed();
    hit = call;
    await proceed();
    throw unavailable(call);
  });
  return { deps: losing, hitAt: () => hit };
}

/** Every call that `isRefused` picks fails without having done anything, as long as `isBroken` says so. */
export function refuseCalls(
  deps: Deps,
  isRefused: (call: PortCall) => boolean,
  isBroken: () => boolean = () => true,
): Deps {
  return interceptPorts(deps, async (call, proceed) => {
    if (isBroken() && isRefused(call)) throw unavailable(call);
    return proceed();
  });
}

function unavailable({ port, method }: PortCall): EverleafError {
  const code = /vault|secrets|signer/i.test(port) ? 'VaultUnavailable' : 'StorageUnavailable';
  return new EverleafError(code, `${port}.${method} does not answer.`, { retryable: true });
}
