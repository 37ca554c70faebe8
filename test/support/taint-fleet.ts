import type { Change } from '../../shared/ports/identity-store.ts';
import { moveDue } from '../../shared/use-cases/update-identity.ts';
import { keyPair } from '../unit/pki/support/keys.ts';
import { logIn, requestOf } from './agent.ts';
import { buildHead, buildIdentity } from './build-identity.ts';
import { create } from './clusters.ts';
import { memoryWorld, type World } from './memory-world.ts';
import { type Held, holding } from './proving-agent.ts';
import { readyKeys } from './ready-keys.ts';
import { startWorld } from './started-world.ts';

/** A fleet whose authority is about to be tainted. */
export interface TaintFleet {
  readonly world: World;
  /** The authority that signs. */
  readonly authorityId: string;
  readonly agents: readonly Held[];
}

export interface TaintFleetOptions {
  /** Identities whose certificates are in vaults, in clusters of 100 at most. */
  readonly inVault: number;
  /** Agents that have logged in and keep their keys. */
  readonly agents: number;
  readonly policy?: Parameters<typeof memoryWorld>[0];
}

const CLUSTER_SIZE = 100;

/**
 * The management cluster, and a fleet beside it. What lies in vaults was never really signed: its record says that the
 * authority did, which is all that a taint looks at. The agents have real certificates.
 */
export async function taintFleet({ inVault, agents, policy = {} }: TaintFleetOptions): Promise<TaintFleet> {
  const world = memoryWorld(policy, readyKeys(1));
  const { deps } = world;
  await startWorld(world);
  const authorityId = (await deps.fleet.deployment())?.value.activeAuthorityId ?? '';
  for (let first = 0; first < inVault; first += CLUSTER_SIZE) {
    const cluster = `vault-${first / CLUSTER_SIZE}`;
    const count = Math.min(CLUSTER_SIZE, inVault - first);
    for (let i = 0; i < count; i++)
      await deps.identities.commit(cluster, vaultIdentity(world, cluster, i, authorityId));
  }
  const names = Array.from({ length: agents }, (_, i) => `n${i}`);
  if (names.length === 0) return { world, authorityId, agents: [] };
  const { loginFiles } = await create(world, { name: 'edge', nodes: names, delivery: 'agent' });
  const nodes = loginFiles.filter(({ name }) => name.startsWith('kubelet-'));
  const held: Held[] = [];
  for (const { cluster, name, token } of nodes) {
    const id = { cluster, name };
    held.push(holding(id, await logIn(world, token.reveal(), requestOf(id, name)), keyPair('P-256', name)));
  }
  return { world, authorityId, agents: held };
}

function vaultIdentity({ clock }: World, cluster: string, i: number, authorityId: string): Change[] {
  const issuedAt = clock.now();
  const serialNumber = `${cluster}${i}`.replace(/[^0-9a-f]/g, '').padStart(32, '5');
  const identity = buildIdentity({
    cluster,
    name: `c${i}`,
    createdAt: issuedAt,
    certificate: { head: buildHead({ issuedAt, serialNumber, authorityId }) },
    token: { issuedAt },
  });
  const certificate = moveDue(identity, 'certificate', identity.certificate.head?.renewAfter ?? issuedAt);
  const token = moveDue(certificate.identity, 'token', identity.token.rotateAfter);
  return [
    { op: 'insert', kind: 'identity', value: token.identity },
    ...certificate.changes,
    ...token.changes,
  ];
}
