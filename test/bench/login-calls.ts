import { TableCounters } from '../../shared/adapters/storage/table-counters.ts';
import { TableFleetStore } from '../../shared/adapters/storage/table-fleet-store.ts';
import { TableIdentityStore } from '../../shared/adapters/storage/table-identity-store.ts';
import { TableRevocationRules } from '../../shared/adapters/storage/table-revocation-rules.ts';
import { RECORD_SHARDS } from '../../shared/domain/sharding.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { KMS, logIn, requestOf, tokenFromVault } from '../support/agent.ts';
import { CountedTable } from '../support/counted-table.ts';
import { memoryWorld } from '../support/memory-world.ts';
import type { Report } from './measure.ts';

/** What one login asks of storage, counted on the memory twin. */
export async function countLoginCalls(report: Report): Promise<void> {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { tables } = world;
  const record = new CountedTable(tables.record);
  const serials = new CountedTable(tables.serials);
  const keys = new CountedTable(tables.keys);
  const counters = new CountedTable(tables.counters);
  const deps = {
    ...world.deps,
    identities: new TableIdentityStore({ record, serials, keys }, RECORD_SHARDS),
    fleet: new TableFleetStore(record),
    revocationRules: new TableRevocationRules(record, RECORD_SHARDS),
    counters: new TableCounters(counters),
  };
  await logIn(world, tokenFromVault(world, KMS), requestOf(KMS, 'counted'), deps);
  const sum = (count: 'queries' | 'transactions') =>
    record.counts[count] + serials.counts[count] + keys.counts[count] + counters.counts[count];
  const [queries, transactions] = [sum('queries'), sum('transactions')];
  report.add({
    ...{ part: 'login', what: 'storage calls of one login', figure: queries + transactions, unit: 'calls' },
    ...{ ratio: null, note: `${queries} reads, ${transactions} transactions, 1 signature` },
  });
  report.remark(
    `A login makes ${transactions} transactions and ${queries} reads (aim: two round trips). The order of writes asks for ` +
      'three of the transactions: the attempt before anything is signed, the serial number, and the result with the ' +
      "token's use; the fourth ties the key to its identity. The reads that stand between are those of the authority and " +
      'the trust bundle, which are read afresh each time, of the rows that the transactions guard, and ' +
      'once a minute the failures of the source.',
  );
}
