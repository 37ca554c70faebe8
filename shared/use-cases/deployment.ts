import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { RECORD_SHARDS } from '../domain/sharding.ts';
import type { Deployment } from '../ports/fleet-store.ts';
import type { Deps } from './deps.ts';

/** How often a pin is tried when several first starts run at once. */
const TRIES = 10;

/**
 * Reads the deployment's row, or makes it, and the storage for it.
 * @throws EverleafError StorageRefused when the record was laid out for another number of partitions
 */
export async function ensureDeployment(deps: Deps): Promise<Deployment> {
  for (const part of deps.storage) await part.prepare();
  const found = (await deps.fleet.deployment())?.value ?? (await insertDeployment(deps));
  if (found.shards !== RECORD_SHARDS) {
    throw new EverleafError(
      'StorageRefused',
      `The record is spread over ${found.shards} partitions and this version knows ${RECORD_SHARDS}. The number is fixed ` +
        'at the first start: run the version that made the record.',
    );
  }
  return found;
}

async function insertDeployment(deps: Deps): Promise<Deployment> {
  const value: Deployment = {
    v: 1,
    createdAt: deps.clock.now(),
    shards: RECORD_SHARDS,
    rotationKeyVersion: null,
    activeAuthorityId: null,
    nextAuthorityId: null,
    deliveredBundleId: null,
    readyAt: null,
    lastBackupAt: null,
    restoredAt: null,
  };
  try {
    await deps.fleet.insertDeployment(value);
    return value;
  } catch (error) {
    const winner = isEverleafError(error, 'AlreadyExists') ? await deps.fleet.deployment() : null;
    if (winner === null) throw error;
    return winner.value;
  }
}

/**
 * Decides one of the deployment's pins. Of several that try, the first decides for all.
 * @param decide the pins to set, or null when they stand already; what it reads itself is as new as the row it is given
 */
export async function pinDeployment(
  deps: Pick<Deps, 'fleet'>,
  decide: (deployment: Deployment) => Partial<Deployment> | null | Promise<Partial<Deployment> | null>,
): Promise<Deployment> {
  for (let attempt = 1; ; attempt++) {
    const stored = await deps.fleet.deployment();
    if (stored === null)
      throw new EverleafError('NotReady', 'The deployment has no record yet.', { retryable: true });
    const pins = await decide(stored.value);
    if (pins === null) return stored.value;
    const value = { ...stored.value, ...pins };
    try {
      await deps.fleet.replaceDeployment(value, stored.etag);
      return value;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || attempt === TRIES) throw error;
    }
  }
}
