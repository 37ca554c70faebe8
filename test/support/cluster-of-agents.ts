import { create } from './clusters.ts';
import { type Habits, HonestAgent } from './honest-agent.ts';
import type { World } from './memory-world.ts';

/** A new cluster with so many nodes, and their agents, each with the login file that an operator gave it. */
export async function createdCluster(
  world: World,
  name: string,
  nodes: number,
  habits: Partial<Habits> = {},
): Promise<readonly HonestAgent[]> {
  const names = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
  const { loginFiles } = await create(world, { name, nodes: names });
  return loginFiles.map((file) => {
    const id = { cluster: file.cluster, name: file.name };
    return new HonestAgent(world, id, file.token.reveal(), habits);
  });
}

/** How many certificates and how many successors of its token each identity of a cluster has had. */
export async function generationsOf(
  world: World,
  cluster: string,
): Promise<Readonly<Record<string, readonly number[]>>> {
  const { items } = await world.deps.identities.identities({ cluster, limit: 500 });
  return Object.fromEntries(
    items.map(({ name, certificate, token }) => [name, [certificate.generation, token.generation]]),
  );
}
