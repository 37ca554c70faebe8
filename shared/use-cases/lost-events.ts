import { FLEET_CHAIN } from '../domain/audit.ts';
import type { AuditStore } from '../ports/audit-store.ts';
import type { CheckpointStore } from '../ports/checkpoint-store.ts';
import type { FleetStore } from '../ports/fleet-store.ts';

/** Entries of a chain that checkpoints vouch for and that are not in it, though their events may wait to be sealed again. */
export interface LostEvents {
  readonly chain: string;
  readonly first: number;
  readonly last: number;
}

/** What the audit log has lost, as far as the checkpoints in this place tell. */
export async function lostEvents({
  audit,
  checkpoints,
  fleet,
}: {
  readonly audit: AuditStore;
  readonly checkpoints: CheckpointStore;
  readonly fleet: FleetStore;
}): Promise<readonly LostEvents[]> {
  const lost: LostEvents[] = [];
  // Those of clusters that had no entry yet, and those of clusters that are gone.
  const chains = new Map(
    [FLEET_CHAIN, ...(await fleet.clusters()).map(({ name }) => name)].map((name) => [name, 0]),
  );
  for (let partition = 0; partition < audit.partitions; partition++) {
    for (const { value } of await audit.heads(partition)) chains.set(value.chain, value.seq);
  }
  for (const [chain, seq] of chains) {
    const last = (await checkpoints.list(chain)).at(-1) ?? 0;
    if (last > seq) lost.push({ chain, first: seq + 1, last });
  }
  return lost;
}
