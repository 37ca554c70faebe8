import { recordCodecs } from '../../shared/adapters/storage/record-rows.ts';
import type { AuditEvent } from '../../shared/domain/audit.ts';
import type { IdentityId } from '../../shared/domain/names.ts';
import { RECORD_SHARDS } from '../../shared/domain/sharding.ts';
import type { World } from './memory-world.ts';

/** Every event of an identity, oldest first. */
export async function eventsOf(world: World, { cluster, name }: IdentityId): Promise<AuditEvent[]> {
  const shards = Array.from({ length: RECORD_SHARDS }, (_, shard) => String(shard).padStart(2, '0'));
  const rows = await Promise.all(
    shards.map((shard) => world.tables.record.range(shard, 'o|', 'o}', Number.POSITIVE_INFINITY)),
  );
  const events = rows.flat().map((row) => recordCodecs.event.decode(row));
  return events.filter(({ target }) => target.cluster === cluster && target.name === name);
}
