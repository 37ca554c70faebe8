import { createHash } from 'node:crypto';
import {
  type BlobLeaseClient,
  BlobServiceClient,
  type BlockBlobClient,
  type ContainerClient,
  RestError,
} from '@azure/storage-blob';

/** Decides which of several hosts on one storage runs a timer. */
export interface TimerLock {
  /** @returns false while another host has it */
  acquire(): Promise<boolean>;
  /** @returns false when another host has had it since: what is remembered of the timer may be out of date */
  renew(): Promise<boolean>;
  /** Lets the next host have it at once; does nothing when it is not ours. */
  release(): Promise<void>;
}

// SingletonOptions.cs in azure-webjobs-sdk: the most that a blob lease can be, renewed when half of it is over.
const LEASE_S = 60;
/** How often a lock has to be renewed while its timer is watched. */
export const RENEW_LOCK_MS = (LEASE_S * 1000) / 2;

/**
 * One leased blob a timer, `azure-webjobs-hosts/locks/<hostId>/Host.Functions.<timer>.Listener`, as the real host has
 * it (SingletonListener.cs and BlobLeaseDistributedLockManager.cs in azure-webjobs-sdk). The storage counts the
 * lease in its own time, which here is virtual: after a jump the host that comes first has it, a living holder by
 * renewing what has run out, which Azure allows as long as nobody has leased the blob since.
 * @param instance tells hosts on one machine apart and outlives a kill: the port. A new host on a port takes over
 *   what its predecessor there held, which cannot be alive any more, instead of waiting for the lease's end.
 */
export function blobTimerLocks(
  connectionString: string,
  hostId: string,
): (timerName: string, instance: string) => TimerLock {
  const container =
    BlobServiceClient.fromConnectionString(connectionString).getContainerClient('azure-webjobs-hosts');
  return (timerName, instance) => {
    const blob = container.getBlockBlobClient(`locks/${hostId}/Host.Functions.${timerName}.Listener`);
    return new BlobTimerLock(container, blob, toGuid(`${hostId}:${instance}`));
  };
}

class BlobTimerLock implements TimerLock {
  readonly #container: ContainerClient;
  readonly #blob: BlockBlobClient;
  readonly #lease: BlobLeaseClient;

  constructor(container: ContainerClient, blob: BlockBlobClient, leaseId: string) {
    this.#container = container;
    this.#blob = blob;
    this.#lease = blob.getBlobLeaseClient(leaseId);
  }

  async acquire(): Promise<boolean> {
    const acquire = () => isOurs(() => this.#lease.acquireLease(LEASE_S));
    try {
      return await acquire();
    } catch (error) {
      if (!(error instanceof RestError) || error.statusCode !== 404) throw error;
    }
    await this.#container.createIfNotExists();
    // Another host may have made it meanwhile, and may have leased it.
    await isOurs(() => this.#blob.upload('', 0, { conditions: { ifNoneMatch: '*' } }));
    return await acquire();
  }

  renew(): Promise<boolean> {
    return isOurs(() => this.#lease.renewLease(), LOST_WITH_BLOB);
  }

  async release(): Promise<void> {
    await isOurs(() => this.#lease.releaseLease(), LOST_WITH_BLOB);
  }
}

/** Statuses that say that someone else has it. */
const TAKEN: readonly number[] = [409, 412];
/** What was held went with the blob when that is gone. */
const LOST_WITH_BLOB: readonly number[] = [...TAKEN, 404];

async function isOurs(operation: () => Promise<unknown>, refusals = TAKEN): Promise<boolean> {
  try {
    await operation();
    return true;
  } catch (error) {
    if (error instanceof RestError && refusals.includes(error.statusCode ?? 0)) return false;
    throw error;
  }
}

/** Lease ids are GUIDs. */
function toGuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}
