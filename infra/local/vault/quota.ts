import { VaultError } from './errors.ts';
import type { KeyType } from './model.ts';
import type { Operation } from './operations.ts';

/** How much of a vault's capacity is used up; every vault has its own. */
export interface Quota {
  /**
   * Counts a request.
   * @param key the key it uses, null when it uses none that is there
   * @throws VaultError 429 Throttled with Retry-After
   */
  request(operation: Operation, key: KeyType | null): void;
  /**
   * Counts the making of a key, which is by far the dearest thing a vault does.
   * @throws VaultError 429 Throttled with Retry-After
   */
  newKey(type: KeyType): void;
}

/** The length of a window, in milliseconds of virtual time. */
const WINDOW_MS = 10_000;

/**
 * What a vault takes in ten seconds (Microsoft Learn, "Azure Key Vault service limits", 2026). Limits of one kind are
 * "weighted, and enforcement is on their sum": a transaction costs the kind's capacity divided by its own limit.
 */
const CAPACITY = { newKey: 20, key: 4000, create: 300, other: 4000 } as const;

type Kind = keyof typeof CAPACITY;

/** 20 software keys, or 10 keys in hardware, whatever their type and size. */
const NEW_KEY_COST = { software: 1, hardware: 2 };

/** 4000, 1000 and 500 transactions with RSA keys of 2048, 3072 and 4096 bits, 4000 with EC keys; half of it in hardware. */
const RSA_COST = { 2048: 1, 3072: 4, 4096: 8 } as const;

/** These share 300 transactions. */
const CREATING: readonly Operation[] = ['SecretSet', 'CertificateImport'];

/**
 * A vault's quota. A window begins with the first transaction of its kind after the window before it, and lasts ten
 * seconds; that the service's do not slide is what users saw (azurecentric.com, "Understanding the limits on Azure Key
 * Vault"). Whether refused requests count too makes no difference to such a window.
 */
export function vaultQuota(): Quota {
  const windows = new Map<Kind, { endsAt: number; used: number }>();
  const take = (kind: Kind, cost: number): void => {
    const now = Date.now();
    const current = windows.get(kind);
    const open =
      current !== undefined && now < current.endsAt ? current : { endsAt: now + WINDOW_MS, used: 0 };
    windows.set(kind, open);
    if (open.used + cost > CAPACITY[kind]) throw throttled(open.endsAt - now);
    open.used += cost;
  };
  return {
    request(operation, key) {
      if (operation.startsWith('Key') && operation !== 'KeyCreate')
        take('key', key === null ? 1 : keyCost(key));
      else take(CREATING.includes(operation) ? 'create' : 'other', 1);
    },
    newKey(type) {
      take('newKey', type.hsm ? NEW_KEY_COST.hardware : NEW_KEY_COST.software);
    },
  };
}

/** The quota of a vault that takes everything. */
export const unlimited: Quota = { request: () => undefined, newKey: () => undefined };

function keyCost(type: KeyType): number {
  const software = type.kty === 'RSA' ? RSA_COST[type.keySize] : 1;
  return type.hsm ? 2 * software : software;
}

/** The words of the service, as users report them; the SDKs wait for Retry-After, and give up after three tries. */
function throttled(waitMs: number): VaultError {
  return new VaultError(
    429,
    'Throttled',
    'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
    { headers: { 'Retry-After': String(Math.max(1, Math.ceil(waitMs / 1000))) } },
  );
}
