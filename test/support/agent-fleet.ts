import assert from 'node:assert/strict';
import { recordCodecs } from '../../shared/adapters/storage/record-rows.ts';
import type { AuditEvent } from '../../shared/domain/audit.ts';
import type { Identity } from '../../shared/domain/identity.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import type { IdentityId } from '../../shared/domain/names.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { updateIdentity } from '../../shared/use-cases/update-identity.ts';
import { logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from './agent.ts';
import { memoryWorld, type World } from './memory-world.ts';
import { startWorld } from './started-world.ts';

/** A fleet with an agent that has logged in once. */
export interface AgentFleet {
  readonly world: World;
  readonly token: string;
  /** Moves the time to a day after the first start. */
  goTo(day: number): void;
}

/** A fleet whose NodeAgent has logged in `loginDay` days after the first start. */
export async function fleetWithAgent(
  policy: Parameters<typeof memoryWorld>[0] = {},
  loginDay = 0,
): Promise<AgentFleet> {
  const world = memoryWorld(policy);
  await startWorld(world);
  const startedAt = world.clock.now().getTime();
  const goTo = (day: number) => world.clock.advance(startedAt + day * DAY_MS - world.clock.now().getTime());
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  goTo(loginDay);
  await logIn(world, token, requestOf(NODE_AGENT, 'first'));
  return { world, token, goTo };
}

/** The whole fleet's status. */
export const status = (world: World) =>
  getStatus(world.deps, { cluster: null, state: null, limit: 500, cursor: null });

/** What status tells of one identity. */
export async function statusOf(world: World, id: IdentityId = NODE_AGENT) {
  const found = (await status(world)).identities.find(({ identity }) => identity.name === id.name);
  assert.ok(found !== undefined, `status does not know ${id.name}`);
  return found;
}

/** The events that remind of an identity, oldest first. */
export async function reminders(world: World, name = NODE_AGENT.name): Promise<readonly AuditEvent[]> {
  const shards = Array.from({ length: 32 }, (_, shard) => String(shard).padStart(2, '0'));
  const rows = await Promise.all(
    shards.map((shard) => world.tables.record.range(shard, 'o|', 'o}', Number.POSITIVE_INFINITY)),
  );
  return rows
    .flat()
    .map((row) => recordCodecs.event.decode(row))
    .map((event) => ({ ...event, time: new Date(event.time) }))
    .filter(({ type, target }) => type.endsWith('-reminded') && target.name === name)
    .sort((a, b) => a.time.getTime() - b.time.getTime());
}

/** Changes an identity's record past the product. */
export async function change(
  world: World,
  edit: (identity: Identity) => Identity,
  id: IdentityId = NODE_AGENT,
): Promise<void> {
  await updateIdentity(world.deps, id, (identity) => ({ identity: edit(identity), changes: [] }));
}
