import { firstStart } from '../../shared/use-cases/first-start.ts';
import { KMS, logIn, requestOf, tokenFromVault } from '../support/agent.ts';
import { countedDeps } from '../support/counted-deps.ts';
import { memoryWorld } from '../support/memory-world.ts';
import type { Report } from './measure.ts';

/** What one login asks of storage, counted on the memory twin. */
export async function countLoginCalls(report: Report): Promise<void> {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const { deps, counts } = countedDeps(world);
  await logIn(world, tokenFromVault(world, KMS), requestOf(KMS, 'counted'), deps);
  const { reads, transactions } = counts();
  report.add({
    ...{ part: 'login', what: 'storage calls of one login', figure: reads + transactions, unit: 'calls' },
    ...{ ratio: null, note: `${reads} reads, ${transactions} transactions, 1 signature` },
  });
  report.remark(
    `A login makes ${transactions} transactions and ${reads} reads (aim: two round trips). The order of writes asks for ` +
      'three of the transactions: the attempt before anything is signed, the serial number, and the result with the ' +
      "token's use; the fourth ties the key to its identity. The reads that stand between are those of the authority and " +
      'the trust bundle, which are read afresh each time, of the rows that the transactions guard, and ' +
      'once a minute the failures of the source.',
  );
}
