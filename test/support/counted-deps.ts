import { TableAccessStore } from '../../shared/adapters/storage/table-access-store.ts';
import { TableAuditStore } from '../../shared/adapters/storage/table-audit-store.ts';
import { TableCounters } from '../../shared/adapters/storage/table-counters.ts';
import { TableCrlStore } from '../../shared/adapters/storage/table-crl-store.ts';
import { TableFleetStore } from '../../shared/adapters/storage/table-fleet-store.ts';
import { TableIdentityStore } from '../../shared/adapters/storage/table-identity-store.ts';
import { TableLeases } from '../../shared/adapters/storage/table-leases.ts';
import { TableOcspStore } from '../../shared/adapters/storage/table-ocsp-store.ts';
import { TableOperationStore } from '../../shared/adapters/storage/table-operation-store.ts';
import { TableRevocationRules } from '../../shared/adapters/storage/table-revocation-rules.ts';
import { RECORD_SHARDS } from '../../shared/domain/sharding.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { CountedTable } from './counted-table.ts';
import { recordCalls } from './intercepted-ports.ts';
import type { World } from './memory-world.ts';

/** What was asked of the services that a bill counts. */
export interface ServiceCalls {
  /** Reads of tables: point reads, and pages of range reads. */
  readonly reads: number;
  readonly transactions: number;
  /** Of either vault, signatures aside. */
  readonly vault: number;
  readonly signatures: number;
  readonly messages: number;
  readonly blobs: number;
}

const VAULT = /^(?:authorityVault|authoritySecrets|clientVault|clientSecrets|vaultBackup)\./;
const BLOBS = /^(?:checkpoints|crlFiles|backups)\./;

/** The ports of a world, with everything counted that is asked of them from now on. */
export function countedDeps(world: World): { readonly deps: Deps; counts(): ServiceCalls } {
  const tables = {
    record: new CountedTable(world.tables.record),
    serials: new CountedTable(world.tables.serials),
    keys: new CountedTable(world.tables.keys),
    counters: new CountedTable(world.tables.counters),
    answers: new CountedTable(world.tables.answers),
  };
  const { record } = tables;
  const { deps, calls } = recordCalls({
    ...world.deps,
    identities: new TableIdentityStore(tables, RECORD_SHARDS),
    fleet: new TableFleetStore(record),
    operations: new TableOperationStore(record, RECORD_SHARDS),
    ocsp: new TableOcspStore(tables),
    access: new TableAccessStore(record, RECORD_SHARDS),
    revocationRules: new TableRevocationRules(record, RECORD_SHARDS),
    crl: new TableCrlStore(record, RECORD_SHARDS),
    audit: new TableAuditStore(record, RECORD_SHARDS),
    counters: new TableCounters(tables.counters),
    leases: new TableLeases(record, world.clock, world.deps.random),
  });
  const sum = (count: 'queries' | 'transactions') =>
    Object.values(tables).reduce((total, table) => total + table.counts[count], 0);
  const matching = (pattern: RegExp) => calls.filter((call) => pattern.test(call)).length;
  return {
    deps,
    counts: () => ({
      reads: sum('queries'),
      transactions: sum('transactions'),
      vault: matching(VAULT),
      signatures: matching(/^signer\.sign$/),
      messages: matching(/^queue\.send/),
      blobs: matching(BLOBS),
    }),
  };
}
