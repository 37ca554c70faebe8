import type { EventType } from '../domain/audit.ts';
import type { Cluster } from '../domain/cluster.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import type { EventChange, Stored } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';
import { type EventFacts, eventChange } from './events.ts';
import { pagesOf } from './pages.ts';

/** How often a step is repeated when somebody else keeps writing the same cluster in between. */
const TRIES = 10;

/** The clusters that there are, in the order of their names. Deleted ones are none. */
export async function listClusters(deps: Pick<Deps, 'fleet'>): Promise<readonly Cluster[]> {
  return (await deps.fleet.clusters()).filter(({ state }) => state !== 'Deleted');
}

/** @throws EverleafError NotFound for a cluster that is not there, or was deleted */
export async function readCluster(deps: Pick<Deps, 'fleet'>, name: string): Promise<Stored<Cluster>> {
  const stored = await deps.fleet.cluster(name);
  if (stored === null || stored.value.state === 'Deleted') {
    throw new EverleafError('NotFound', `There is no cluster "${name}".`);
  }
  return stored;
}

/**
 * A cluster that work can be asked for.
 * @throws EverleafError NotFound; InUse while it is being deleted
 */
export async function readLiveCluster(deps: Pick<Deps, 'fleet'>, name: string): Promise<Cluster> {
  const { value } = await readCluster(deps, name);
  if (value.state === 'Deleting') {
    throw new EverleafError(
      'InUse',
      `Cluster "${name}" is being deleted: its identities are revoked already.`,
    );
  }
  return value;
}

/**
 * Reads a cluster's row, decides, and writes; when somebody wrote in between it reads and decides again.
 * @param decide gives what changes, or null when there is nothing to do any more; called once per try
 * @returns the row as it stands afterwards; null when there is none
 */
export async function updateCluster(
  deps: Pick<Deps, 'fleet'>,
  name: string,
  decide: (cluster: Cluster, etag: string) => Partial<Cluster> | null,
): Promise<Cluster | null> {
  for (let attempt = 1; ; attempt++) {
    const stored = await deps.fleet.cluster(name);
    if (stored === null) return null;
    const changes = decide(stored.value, stored.etag);
    if (changes === null) return stored.value;
    const value = { ...stored.value, ...changes, revision: stored.value.revision + 1 };
    try {
      await deps.fleet.replaceCluster(value, stored.etag);
      return value;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || attempt === TRIES) throw error;
    }
  }
}

/** Every identity of a cluster, deleted ones included. */
export async function identitiesOf(
  deps: Pick<Deps, 'identities'>,
  cluster: string,
): Promise<readonly Identity[]> {
  const found: Identity[] = [];
  for await (const items of pagesOf((page) => deps.identities.identities({ cluster, ...page }))) {
    found.push(...items);
  }
  return found;
}

/** An event of a whole cluster, in the cluster's own chain. */
export function clusterEvent(
  deps: Pick<Deps, 'clock' | 'random'>,
  run: Run,
  type: EventType,
  cluster: string,
  facts: EventFacts = {},
): EventChange {
  return eventChange(deps, run, type, { cluster, name: '' }, facts);
}
