import { type ClusterGate, GATES, gateOf, isPassable, judgeMove } from '../domain/cluster-gate.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { type IdentityId, MANAGEMENT_CLUSTER } from '../domain/names.ts';
import type { Change } from '../ports/identity-store.ts';
import type { Deps } from './deps.ts';

/** How often the gates are moved while identities are made through them. */
const TRIES = 20;

type GateDeps = Pick<Deps, 'identities'>;

/**
 * What the transaction that makes an identity needs beside it: its gate, as it was read. Somebody who moved the gate, or
 * passed it, in between makes that transaction fail with Conflict; then this is to be asked again.
 * @param epoch the cluster's epoch that the identity is for; null for the one that is open now
 * @throws EverleafError InUse when the cluster is being deleted, or was
 */
export async function passGate(deps: GateDeps, id: IdentityId, epoch: number | null): Promise<Change[]> {
  // The management cluster is never deleted.
  if (id.cluster === MANAGEMENT_CLUSTER) return [];
  const slot = gateOf(id.name);
  const stored = await deps.identities.gate(id.cluster, slot);
  if (!isPassable(stored?.value ?? null, epoch)) throw deletedMeanwhile(id.cluster);
  if (stored !== null) return [{ op: 'replace', kind: 'gate', value: stored.value, etag: stored.etag }];
  const value: ClusterGate = { v: 1, cluster: id.cluster, slot, state: 'Open', epoch: epoch ?? 0 };
  return [{ op: 'insert', kind: 'gate', value }];
}

/**
 * Opens a cluster's gates for an epoch of it.
 * @throws EverleafError InUse when that epoch is closed already, or over
 */
export async function openGates(deps: GateDeps, cluster: string, epoch: number): Promise<void> {
  if (!(await moveGates(deps, cluster, 'Open', epoch))) throw deletedMeanwhile(cluster);
}

/**
 * Closes a cluster's gates: no identity is made in it from here on.
 * @returns false when a later epoch has begun, whose gates are left alone
 */
export function closeGates(deps: GateDeps, cluster: string, epoch: number): Promise<boolean> {
  return moveGates(deps, cluster, 'Closed', epoch);
}

async function moveGates(
  deps: GateDeps,
  cluster: string,
  state: ClusterGate['state'],
  epoch: number,
): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const stored = new Map((await deps.identities.gates(cluster)).map((gate) => [gate.value.slot, gate]));
    const slots = Array.from({ length: GATES }, (_, slot) => slot);
    const verdicts = slots.map((slot) => judgeMove(stored.get(slot)?.value ?? null, state, epoch));
    if (verdicts.includes('refuse')) return false;
    const changes = slots.flatMap((slot): Change[] => {
      if (verdicts[slot] === 'keep') return [];
      const value: ClusterGate = { v: 1, cluster, slot, state, epoch };
      const etag = stored.get(slot)?.etag;
      return etag === undefined
        ? [{ op: 'insert', kind: 'gate', value }]
        : [{ op: 'replace', kind: 'gate', value, etag }];
    });
    if (changes.length === 0) return true;
    try {
      await deps.identities.commit(cluster, changes);
      return true;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || attempt === TRIES) throw error;
    }
  }
}

function deletedMeanwhile(cluster: string): EverleafError {
  return new EverleafError(
    'InUse',
    `Cluster "${cluster}" was deleted, or is being deleted: nothing is made in it. Look at it, and ask again.`,
  );
}
