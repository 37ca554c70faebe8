import type { AuditStore } from '../ports/audit-store.ts';
import type { CheckpointStore } from '../ports/checkpoint-store.ts';

/** Entries of a chain that checkpoints vouch for, and that the record does not have. */
export interface LostEvents {
  readonly chain: string;
  readonly first: number;
  readonly last: number;
}

/** What the audit log has lost, as far as the checkpoints in this place tell. */
export async function lostEvents({
  audit,
  checkpoints,
}: {
  readonly audit: AuditStore;
  readonly checkpoints: CheckpointStore;
}): Promise<readonly LostEvents[]> {
  const lost: LostEvents[] = [];
  for (let partition = 0; partition < audit.partitions; partition++) {
    for (const { value } of await audit.heads(partition)) {
      const last = (await checkpoints.list(value.chain)).at(-1) ?? 0;
      if (last > value.seq) lost.push({ chain: value.chain, first: value.seq + 1, last });
    }
  }
  return lost;
}
