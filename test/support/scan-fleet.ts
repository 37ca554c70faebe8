import { MemoryTable } from '../../shared/adapters/memory/memory-table.ts';
import type { Table } from '../../shared/adapters/storage/table.ts';
import { TableIdentityStore } from '../../shared/adapters/storage/table-identity-store.ts';
import { TableLeases } from '../../shared/adapters/storage/table-leases.ts';
import { RECORD_SHARDS } from '../../shared/domain/sharding.ts';
import { renewDue, type ScanOutcome } from '../../shared/use-cases/renew-due.ts';
import { CountedTable, type TableCounts } from './counted-table.ts';
import { FLEET_NOW } from './large-fleet.ts';
import { memoryWorld } from './memory-world.ts';

export interface CountedScan extends TableCounts {
  readonly outcome: ScanOutcome | null;
  /** Rows that the table looked at to answer; null where the table does not tell. */
  readonly rowsExamined: number | null;
}

/** Runs one scan over the record in a table at `FLEET_NOW`, with a vault that bears whatever is due. */
export async function scanFleet(table: Table): Promise<CountedScan> {
  const world = memoryWorld({ vaultKeysPerMinute: 1000 });
  world.clock.advance(FLEET_NOW.getTime() - world.clock.now().getTime());
  const record = new CountedTable(table);
  const deps = {
    ...world.deps,
    identities: new TableIdentityStore({ ...world.tables, record }, RECORD_SHARDS),
    leases: new TableLeases(record, world.clock, world.deps.random),
  };
  const examinedBefore = table instanceof MemoryTable ? table.rowsExamined : null;
  const outcome = await renewDue(deps, world.run);
  const rowsExamined =
    table instanceof MemoryTable && examinedBefore !== null ? table.rowsExamined - examinedBefore : null;
  return { ...record.counts, outcome, rowsExamined };
}
