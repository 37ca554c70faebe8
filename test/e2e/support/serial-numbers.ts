import { TableClient } from '@azure/data-tables';
import type { LocalEnvironment } from '../../support/local-environment.ts';

/** How many serial numbers the record has given out, whether or not a certificate came of them. */
export async function serialNumbers(everleaf: LocalEnvironment): Promise<number> {
  const options = { allowInsecureConnection: true };
  const table = TableClient.fromConnectionString(
    everleaf.env.storageConnectionString,
    'EverleafSerials',
    options,
  );
  let count = 0;
  for await (const _row of table.listEntities()) count += 1;
  return count;
}
