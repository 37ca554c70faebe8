/** A sealed audit log in memory, what somebody with the right to write its tables could do to it, and the verifier's look at it. */
import { X509Certificate } from 'node:crypto';
import type { Finding } from '../../cli/audit/check-chain.ts';
import type { StoredCheckpoint } from '../../cli/audit/checkpoint.ts';
import { entryHash } from '../../cli/audit/entry-hash.ts';
import { type EventsPage, UnreadableEvents, verifyAuditLog } from '../../cli/audit/verify-audit-log.ts';
import { FLEET_CHAIN, SEAL_AFTER_MS } from '../../shared/domain/audit.ts';
import { isEverleafError } from '../../shared/domain/errors.ts';
import { SECOND_MS } from '../../shared/domain/instants.ts';
import { VAULT_AUDIT_SIGNING_NAME } from '../../shared/domain/names.ts';
import { eventsJson } from '../../shared/http/events-json.ts';
import { readEventQuery } from '../../shared/http/events-query.ts';
import { getEvents } from '../../shared/use-cases/get-events.ts';
import { sealAudit } from '../../shared/use-cases/seal-audit.ts';
import { httpRequest } from '../unit/http/requests.ts';
import { auditEvent, eventOf } from './audit-events.ts';
import { memoryWorld, type World } from './memory-world.ts';

export const AUDIT_CHAINS = ['alpha', 'beta', FLEET_CHAIN];

/** The content of an entry's row. */
export interface EntryRow {
  v: number;
  position: string;
  latest: string;
  event: Record<string, unknown> & { seq: number; hash: string; previousHash: string };
}

/** A world whose chains were sealed in `rounds` of `perRound` events each, with a checkpoint after every round. */
export async function sealedWorld(rounds: number, perRound: number): Promise<World> {
  const world = memoryWorld();
  for (const part of world.deps.storage) await part.prepare();
  for (let round = 0; round < rounds; round++) await sealMore(world, perRound);
  return world;
}

/** One more round. */
export async function sealMore(world: World, perRound: number): Promise<void> {
  for (let i = 0; i < perRound; i++) {
    for (const chain of AUDIT_CHAINS) {
      await world.deps.identities.commit(chain, [eventOf(chain, auditEvent(chain, world.clock.now()))]);
    }
    world.clock.advance(SECOND_MS);
  }
  world.clock.advance(SEAL_AFTER_MS);
  await sealAudit(world.deps, world.run);
}

/** Everything that the verifier finds in the world, through the same answers as over HTTP. */
export async function findingsIn(
  world: World,
  more: readonly StoredCheckpoint[] = [],
): Promise<readonly Finding[]> {
  const { findings } = await verifyAuditLog({
    events: (query) => eventsOf(world, query),
    checkpoints: async () => [...(await storedCheckpoints(world)), ...more],
    trusted: async () => {
      const versions = world.authorityVault.versions(VAULT_AUDIT_SIGNING_NAME);
      return new Set(versions.map(({ der }) => new X509Certificate(der).fingerprint256));
    },
  });
  return findings;
}

async function eventsOf(world: World, query: Readonly<Record<string, string>>): Promise<EventsPage> {
  try {
    const answer = eventsJson(await getEvents(world.deps, readEventQuery(httpRequest({ query }))));
    return JSON.parse(JSON.stringify(answer)) as EventsPage;
  } catch (error) {
    // What the app answers 500 to.
    if (isEverleafError(error, 'StorageRefused')) throw new UnreadableEvents(error.message);
    throw error;
  }
}

async function storedCheckpoints(world: World): Promise<StoredCheckpoint[]> {
  const found: StoredCheckpoint[] = [];
  for (const chain of AUDIT_CHAINS) {
    for (const seq of await world.checkpoints.list(chain)) {
      found.push({ chain, seq, jws: (await world.checkpoints.get(chain, seq)) ?? '' });
    }
  }
  return found;
}

export function entryKey(chain: string, seq: number): string {
  return `e|${chain}|${String(seq).padStart(12, '0')}`;
}

function partitionOf(world: World, chain: string): string {
  return String(world.deps.identities.tokenShard(chain)).padStart(2, '0');
}

export async function readEntry(world: World, chain: string, seq: number): Promise<EntryRow> {
  const row = await world.tables.record.get(partitionOf(world, chain), entryKey(chain, seq));
  return JSON.parse(row?.data ?? 'null') as EntryRow;
}

export async function writeRow(world: World, chain: string, key: string, value: unknown): Promise<void> {
  const data = typeof value === 'string' ? value : JSON.stringify(value);
  await world.tables.record.commit(partitionOf(world, chain), [{ op: 'put', key, v: 1, data }]);
}

/** Removes the rows of a chain that `isDoomed` picks by their keys. */
export async function removeRows(
  world: World,
  chain: string,
  isDoomed: (key: string) => boolean,
): Promise<void> {
  const partition = partitionOf(world, chain);
  const rows = await world.tables.record.range(partition, 'e', 'z', 10_000);
  for (const { key } of rows) {
    if (key.includes(`|${chain}`) && isDoomed(key)) {
      await world.tables.record.commit(partition, [{ op: 'remove', key }]);
    }
  }
}

/** Gives an entry the hash that its content has: what a careful forger does. */
export function rehashed({ event, ...rest }: EntryRow): EntryRow {
  return { ...rest, event: { ...event, hash: entryHash(event) } };
}

/** Writes a chain's head anew, as if `last` were its last entry. */
export async function moveHead(world: World, chain: string, last: EntryRow): Promise<void> {
  const stored = await world.deps.audit.head(chain);
  if (stored === null) throw new Error(`"${chain}" has no head.`);
  await world.deps.audit.replaceHead(
    { ...stored.value, seq: last.event.seq, hash: last.event.hash },
    stored.etag,
  );
}
