import type { ClientVault, Deps } from '../../shared/use-cases/deps.ts';

export interface PortCall {
  /** The port's name in `Deps`, for example `identities`. */
  readonly port: string;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** Stands around every call of a port: may look at it, do it or not, and throw before or after. */
export type Interceptor = (call: PortCall, proceed: () => Promise<unknown>) => Promise<unknown>;

/**
 * Ports that reach the world. Time, randomness, hashing and metrics are as they are: no call of theirs changes the record or
 * a vault.
 */
const PORTS = [
  'identities',
  'fleet',
  'operations',
  'ocsp',
  'access',
  'revocationRules',
  'crl',
  'crlFiles',
  'audit',
  'checkpoints',
  'recordDump',
  'backups',
  'vaultBackup',
  'authorityVault',
  'authoritySecrets',
  'clientVault',
  'clientSecrets',
  'signer',
  'queue',
  'counters',
  'leases',
  'clock',
] as const satisfies readonly (keyof Deps)[];

/** Methods that answer at once and touch nothing. */
const IMMEDIATE = new Set(['tokenShard', 'now']);

/** The same world, seen through an interceptor. */
export function interceptPorts(deps: Deps, intercept: Interceptor): Deps {
  const intercepted = Object.fromEntries(PORTS.map((port) => [port, wrap(port, deps[port], intercept)]));
  const storage = deps.storage.map((part) => wrap('storage', part, intercept));
  const clientVaultAt = (url: string): ClientVault => {
    const { certificates, secrets } = deps.clientVaultAt(url);
    return {
      certificates: wrap('ownVault', certificates, intercept),
      secrets: wrap('ownSecrets', secrets, intercept),
    };
  };
  return { ...deps, ...intercepted, storage, clientVaultAt };
}

function wrap<Port extends object>(port: string, target: Port, intercept: Interceptor): Port {
  return new Proxy(target, {
    get: (_, property) => {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function' || typeof property !== 'string') return value;
      const method = value.bind(target) as (...args: unknown[]) => unknown;
      if (IMMEDIATE.has(property)) return method;
      return (...args: unknown[]) =>
        intercept({ port, method: property, args }, async () => {
          const answer = await method(...args);
          return isLease(answer) ? wrap('lease', answer, intercept) : answer;
        });
    },
  });
}

function isLease(answer: unknown): answer is { release(): Promise<void> } {
  return typeof answer === 'object' && answer !== null && 'release' in answer;
}

/** Writes down `port.method` of every call and changes nothing. */
export function recordCalls(deps: Deps): { deps: Deps; calls: string[] } {
  const calls: string[] = [];
  const recorded = interceptPorts(deps, ({ port, method }, proceed) => {
    calls.push(`${port}.${method}`);
    return proceed();
  });
  return { deps: recorded, calls };
}
