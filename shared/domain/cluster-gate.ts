import { shardOf } from './sharding.ts';

/**
 * One of a cluster's gates, rows beside its identities: whoever makes an identity writes its gate again in the same
 * transaction, and a deletion closes all of them before it looks for what is to be revoked. So no identity is made behind
 * the back of a deletion, which the cluster's own row, in another partition, could not promise.
 */
export interface ClusterGate {
  readonly v: 1;
  readonly cluster: string;
  /** Which of the gates it is: 0 up to, not including, GATES. */
  readonly slot: number;
  readonly state: 'Open' | 'Closed';
  /** The cluster's `epoch` that it was opened or closed for last; 0 when it was met before it was ever opened. */
  readonly epoch: number;
}

/** Several, so that identities that are made at the same time seldom wait for one another. */
export const GATES = 32;

/** The gate of an identity. */
export function gateOf(name: string): number {
  return shardOf(name.toLowerCase(), GATES);
}

/**
 * Whether an identity may be made through a gate.
 * @param gate null for one that was never written: clusters of the first versions have none, and are open
 * @param epoch the cluster's epoch that the identity is for; null for whatever stands there now
 */
export function isPassable(gate: ClusterGate | null, epoch: number | null): boolean {
  if (gate === null) return true;
  return gate.state === 'Open' && (epoch === null || gate.epoch === epoch);
}

/** What moving a gate comes to: `move`, `keep` when it is as wanted, or `refuse` when it belongs to a later epoch. */
export function judgeMove(
  gate: ClusterGate | null,
  state: ClusterGate['state'],
  epoch: number,
): 'move' | 'keep' | 'refuse' {
  if (gate === null || gate.epoch < epoch) return 'move';
  if (gate.epoch > epoch) return 'refuse';
  if (gate.state === state) return 'keep';
  // What an epoch has closed stays closed for it.
  return state === 'Closed' ? 'move' : 'refuse';
}
