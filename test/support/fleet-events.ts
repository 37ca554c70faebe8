import { recordCodecs } from '../../shared/adapters/storage/record-rows.ts';
import { type AuditEvent, FLEET_CHAIN } from '../../shared/domain/audit.ts';
import { RECORD_SHARDS, shardOf } from '../../shared/domain/sharding.ts';
import type { World } from './memory-world.ts';

/** Every event of the fleet as a whole that is not sealed yet, oldest first. */
export async function fleetEvents(world: World): Promise<AuditEvent[]> {
  const shard = String(shardOf(FLEET_CHAIN, RECORD_SHARDS)).padStart(2, '0');
  const rows = await world.tables.record.range(shard, 'o|', 'o}', Number.POSITIVE_INFINITY);
  return rows
    .map((row) => recordCodecs.event.decode(row))
    .filter(({ target }) => target.cluster === null)
    .sort((a, b) => a.time.getTime() - b.time.getTime());
}
