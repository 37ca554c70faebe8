import type { RowOperation, Table } from '../../shared/adapters/storage/table.ts';
import { TableIdentityStore } from '../../shared/adapters/storage/table-identity-store.ts';
import { MINUTE_MS } from '../../shared/domain/instants.ts';
import { RECORD_SHARDS } from '../../shared/domain/sharding.ts';
import type { Change } from '../../shared/ports/identity-store.ts';
import { moveDue } from '../../shared/use-cases/update-identity.ts';
import { after, buildHead, buildIdentity } from './build-identity.ts';

export const CLUSTER_SIZE = 100;
const IDENTITIES_PER_TRANSACTION = 30;
/** The name in the rows that are copied. Nothing else in a row reads like it. */
const NAME = 'n-00';

export interface FleetOptions {
  /** A multiple of the cluster size. */
  readonly identities: number;
  /** How many of their certificates are due at `FLEET_NOW`, as many in each cluster; the clusters' count divides it. */
  readonly due: number;
  /** One text for all rows of a cluster that no scan reads: a million identities in a fifth of the memory. */
  readonly isTextShared?: boolean;
}

/** When the certificates of a fleet's due identities are due. */
export const FLEET_NOW = after(46);

/**
 * Writes a fleet of clusters into a table, past the use cases: an identity, its two rows in the due index, and nothing
 * else. Every row has the key, the partition and the shape that the store gives it, for it writes one of each cluster.
 */
export async function loadFleet(table: Table, options: FleetOptions): Promise<void> {
  const clusters = options.identities / CLUSTER_SIZE;
  for (let number = 0; number < clusters; number++) {
    const cluster = `c-${String(number).padStart(5, '0')}`;
    const dueHere =
      Math.floor(((number + 1) * options.due) / clusters) - Math.floor((number * options.due) / clusters);
    const dueAt = new Date(FLEET_NOW.getTime() - (number % 1000) * MINUTE_MS);
    const due = await rowsOf(cluster, dueAt, true);
    const quiet = await rowsOf(cluster, dueAt, false);
    const rows: RowOperation[] = [];
    const flush = () => table.commit(quiet.partition, rows.splice(0));
    for (let i = 0; i < CLUSTER_SIZE; i++) {
      const isDue = i < dueHere;
      rows.push(...copies(isDue ? due : quiet, `n-${i}`, options.isTextShared === true && !isDue));
      if (rows.length >= 3 * IDENTITIES_PER_TRANSACTION) await flush();
    }
    await flush();
  }
}

interface Rows {
  readonly partition: string;
  readonly operations: readonly RowOperation[];
}

/** What the store makes of one identity. */
async function rowsOf(cluster: string, dueAt: Date, isDue: boolean): Promise<Rows> {
  const issuedAt = isDue ? after(0) : after(30);
  const identity = buildIdentity({
    cluster,
    name: NAME,
    certificate: { head: buildHead({ issuedAt }) },
    token: { issuedAt: after(30) },
  });
  const certificate = moveDue(identity, 'certificate', isDue ? dueAt : new Date(dueAt.getTime() + 3e9));
  const token = moveDue(certificate.identity, 'token', identity.token.rotateAfter);
  const changes: Change[] = [
    { op: 'insert', kind: 'identity', value: token.identity },
    ...certificate.changes,
    ...token.changes,
  ];
  const caught: Rows[] = [];
  const catcher: Table = {
    prepare: async () => {},
    get: async () => null,
    range: async () => [],
    commit: async (partition, operations) => void caught.push({ partition, operations }),
  };
  const store = new TableIdentityStore({ record: catcher, serials: catcher, keys: catcher }, RECORD_SHARDS);
  await store.commit(cluster, changes);
  const [rows] = caught;
  if (rows === undefined) throw new Error('The store wrote nothing.');
  return rows;
}

function copies({ operations }: Rows, name: string, isTextShared: boolean): RowOperation[] {
  return operations.map((operation) => {
    const key = operation.key.replaceAll(NAME, name);
    if (operation.op === 'remove') return { ...operation, key };
    return { ...operation, key, data: isTextShared ? operation.data : operation.data.replaceAll(NAME, name) };
  });
}
