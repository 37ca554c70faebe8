import { TableClient } from '@azure/data-tables';
import type { LocalEnvironment } from '../../support/local-environment.ts';

/**
 * How many serial numbers the record has given out, whether or not a certificate came of them; but for OCSP responders, which
 * are renewed every few days.
 */
export async function serialNumbers(everleaf: LocalEnvironment): Promise<number> {
  const options = { allowInsecureConnection: true };
  const table = TableClient.fromConnectionString(
    everleaf.env.storageConnectionString,
    'EverleafSerials',
    options,
  );
  let count = 0;
  for await (const { data } of table.listEntities<{ data: string }>()) {
    if (!data.includes('"instance":"responder"')) count += 1;
  }
  return count;
}
