import { resourceUsage } from 'node:process';
import { TableClient } from '@azure/data-tables';
import { MemoryTable } from '../../shared/adapters/memory/memory-table.ts';
import { AzureTable } from '../../shared/adapters/storage/azure-table.ts';
import type { Table } from '../../shared/adapters/storage/table.ts';
import { startAzurite } from '../support/azurite.ts';
import { loadFleet } from '../support/large-fleet.ts';
import { scanFleet } from '../support/scan-fleet.ts';
import { type Report, residentMegabytes } from './measure.ts';

const PART = 'scan';

/** One scan of what is due among ever more identities: counted at the table, and timed. */
export async function benchScan(report: Report): Promise<void> {
  for (const identities of [10_000, 100_000, 1_000_000]) {
    const table = new MemoryTable();
    const before = residentMegabytes();
    await measure(report, 'memory', table, identities, 1000);
    const memory = (when: string, figure: number, note: string) =>
      report.add({
        ...{ part: 'memory', what: `${identities} identities in the memory twin, ${when}` },
        ...{ figure, unit: 'MB', ratio: null, note },
      });
    memory('after the scan', residentMegabytes() - before, 'an identity and its two due rows each');
    memory('peak', resourceUsage().maxRSS / 1000, 'of the whole bench until then, loading and scanning');
  }
  const azurite = await startAzurite();
  try {
    for (const identities of [1000, 10_000]) {
      const options = { allowInsecureConnection: true };
      const name = `Bench${identities}`;
      const client = TableClient.fromConnectionString(azurite.connectionString, name, options);
      await measure(report, 'Azurite', new AzureTable(client), identities, 1000);
    }
  } finally {
    await azurite.stop();
  }
}

async function measure(report: Report, where: string, table: Table, identities: number, due: number) {
  await table.prepare();
  const begun = performance.now();
  await loadFleet(table, { identities, due });
  const loaded = performance.now();
  const { outcome, queries, transactions, rowsReturned, rowsExamined } = await scanFleet(table);
  const examined = rowsExamined === null ? 'examined: it does not tell' : `${rowsExamined} examined`;
  report.add({
    ...{ part: PART, what: `${outcome?.due} due among ${identities}, ${where}` },
    ...{ figure: performance.now() - loaded, unit: 'ms', ratio: null },
    note:
      `${queries} queries, ${rowsReturned} rows returned, ${examined}, ${transactions} transactions; ` +
      `loading took ${((loaded - begun) / 1000).toFixed(1)} s`,
  });
}
