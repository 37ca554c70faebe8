import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { ageCipher } from '../../shared/adapters/backup/age-cipher.ts';
import { MemoryBackups } from '../../shared/adapters/memory/memory-backups.ts';
import { MemoryCheckpoints } from '../../shared/adapters/memory/memory-checkpoints.ts';
import { type CopyFamily, MemoryCopies } from '../../shared/adapters/memory/memory-copies.ts';
import { MemoryCrlFiles } from '../../shared/adapters/memory/memory-crl-files.ts';
import { MemorySecrets } from '../../shared/adapters/memory/memory-secrets.ts';
import { MemorySigner } from '../../shared/adapters/memory/memory-signer.ts';
import { MemoryTable } from '../../shared/adapters/memory/memory-table.ts';
import { MemoryVault } from '../../shared/adapters/memory/memory-vault.ts';
import { MemoryWorkQueue } from '../../shared/adapters/memory/memory-work-queue.ts';
import { TableAccessStore } from '../../shared/adapters/storage/table-access-store.ts';
import { TableAuditStore } from '../../shared/adapters/storage/table-audit-store.ts';
import { TableCounters } from '../../shared/adapters/storage/table-counters.ts';
import { TableCrlStore } from '../../shared/adapters/storage/table-crl-store.ts';
import { TableFleetStore } from '../../shared/adapters/storage/table-fleet-store.ts';
import { TableLeases } from '../../shared/adapters/storage/table-leases.ts';
import { TableOcspStore } from '../../shared/adapters/storage/table-ocsp-store.ts';
import { TableOperationStore } from '../../shared/adapters/storage/table-operation-store.ts';
import { TableRecordDump } from '../../shared/adapters/storage/table-record-dump.ts';
import { TableRevocationRules } from '../../shared/adapters/storage/table-revocation-rules.ts';
import { TellingIdentityStore } from '../../shared/adapters/storage/telling-identity-store.ts';
import { cronSchedules } from '../../shared/adapters/system/cron-schedules.ts';
import { nodeDigest } from '../../shared/adapters/system/node-digest.ts';
import { systemRandom } from '../../shared/adapters/system/system-random.ts';
import { MetricRegistry } from '../../shared/adapters/telemetry/metric-registry.ts';
import { eventTeller } from '../../shared/adapters/telemetry/tell-event.ts';
import type { Policy } from '../../shared/domain/policy.ts';
import { RECORD_SHARDS } from '../../shared/domain/sharding.ts';
import { SourceBuckets } from '../../shared/domain/source-buckets.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { advanceOperation } from '../../shared/use-cases/advance-operation.ts';
import type { Deps, Run } from '../../shared/use-cases/deps.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { publishAtOnce } from '../../shared/use-cases/publish-crl.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { tendFleet } from '../../shared/use-cases/tend-fleet.ts';
import { type KeyMaker, readyKeys } from './ready-keys.ts';

/** A clock that a test moves. Waiting moves it too, so that no test ever sleeps. */
export class TestClock implements Clock {
  #now: number;

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#now);
  }

  async wait(ms: number): Promise<void> {
    this.#now += ms;
  }

  advance(ms: number): void {
    this.#now += ms;
  }
}

export interface World {
  readonly deps: Deps;
  readonly clock: TestClock;
  readonly run: Run;
  /** Makes the keys of every vault here. */
  readonly newKey: KeyMaker;
  readonly authorityVault: MemoryVault;
  readonly authoritySecrets: MemorySecrets;
  readonly clientVault: MemoryVault;
  readonly clientSecrets: MemorySecrets;
  /** The vault that a cluster names as its own. */
  readonly clientVaultAt: (url: string) => { certificates: MemoryVault; secrets: MemorySecrets };
  readonly tables: {
    readonly record: MemoryTable;
    readonly serials: MemoryTable;
    readonly keys: MemoryTable;
    readonly counters: MemoryTable;
    readonly answers: MemoryTable;
  };
  readonly queue: MemoryWorkQueue;
  readonly checkpoints: MemoryCheckpoints;
  readonly backups: MemoryBackups;
  /** The authority vault's copies, out and in. */
  readonly copies: MemoryCopies;
  /** Every line that was logged. */
  readonly lines: string[];
  /** What was counted and reported. */
  readonly metrics: MetricRegistry;
  /** What the renew-due timer and the workers behind the queue do at one tick. */
  tick(deps?: Deps): Promise<void>;
}

const identity = await generateX25519Identity();
/** Backups of worlds in memory are for this pair of keys. */
export const BACKUP_KEYS = { identity, recipient: await identityToRecipient(identity) };

export const POLICY: Policy = {
  certificateValidityDays: 90,
  tokenValidityDays: 90,
  authorityValidityDays: 365,
  clientKeyType: 'RSA-2048',
  workloadDelivery: 'vault',
  authorityKeyType: 'EC-P256',
  authorityRoot: 'self',
  authorityRoots: [],
  vaultKeysPerMinute: 60,
  recoveryWindowDays: 30,
  recoveryBudget: 3,
  updateReminderDays: 60,
  loginFailuresPerSource: 30,
  issuancesPerIdentity: 200,
  taintWaveSize: 100,
  taintWaveMinutes: 15,
  crlValidityHours: 72,
  ocspSignaturesPerMinute: 600,
  ocspSignaturesPerSource: 120,
};

/**
 * The whole product on memory twins, at the start of a deployment. Nothing is in it yet, not even tables.
 * @param place where its authority vault is, and its family: copies of one such vault open in those that share it
 */
export function memoryWorld(
  policy: Partial<Policy> = {},
  newKey: KeyMaker = readyKeys(),
  place: { readonly authorityVaultUrl?: string; readonly family?: CopyFamily } = {},
): World {
  const { authorityVaultUrl = 'https://authority.vault.test', family = new Map() } = place;
  const clock = new TestClock('2026-11-21T08:00:00Z');
  const authorityVault = new MemoryVault(authorityVaultUrl, clock, systemRandom, newKey);
  const clientVault = new MemoryVault('https://clients.vault.test', clock, systemRandom, newKey);
  const authoritySecrets = new MemorySecrets(systemRandom);
  const clientSecrets = new MemorySecrets(systemRandom);
  const vaults = new Map<string, { certificates: MemoryVault; secrets: MemorySecrets }>();
  const clientVaultAt = (url: string) => {
    const found = vaults.get(url) ?? {
      certificates: new MemoryVault(url, clock, systemRandom, newKey),
      secrets: new MemorySecrets(systemRandom),
    };
    vaults.set(url, found);
    return found;
  };
  const tables = {
    record: new MemoryTable(),
    serials: new MemoryTable(),
    keys: new MemoryTable(),
    counters: new MemoryTable(),
    answers: new MemoryTable(),
  };
  const queue = new MemoryWorkQueue();
  const checkpoints = new MemoryCheckpoints();
  const crlFiles = new MemoryCrlFiles();
  const backups = new MemoryBackups();
  const copies = new MemoryCopies(authorityVault, authoritySecrets, systemRandom, family);
  const metrics = new MetricRegistry();
  const lines: string[] = [];
  const run: Run = {
    actor: { kind: 'timer', id: 'test', source: null },
    correlationId: '00000000-0000-0000-0000-000000000000',
    log: {
      write: (level, message, details = {}) =>
        void lines.push(`${level}: ${message} ${JSON.stringify(details)}`),
    },
  };
  const deps: Deps = {
    clock,
    random: systemRandom,
    digest: nodeDigest,
    identities: new TellingIdentityStore(tables, RECORD_SHARDS, eventTeller(metrics)),
    fleet: new TableFleetStore(tables.record),
    operations: new TableOperationStore(tables.record, RECORD_SHARDS),
    ocsp: new TableOcspStore(tables),
    access: new TableAccessStore(tables.record, RECORD_SHARDS),
    revocationRules: new TableRevocationRules(tables.record, RECORD_SHARDS),
    crl: new TableCrlStore(tables.record, RECORD_SHARDS),
    crlFiles,
    audit: new TableAuditStore(tables.record, RECORD_SHARDS),
    checkpoints,
    recordDump: new TableRecordDump(tables),
    backups,
    backupCipher: ageCipher([BACKUP_KEYS.recipient]),
    vaultBackup: copies,
    storage: [
      ...[tables.record, tables.serials, tables.keys, tables.counters, tables.answers],
      ...[queue, checkpoints, crlFiles, backups],
    ],
    authorityVault,
    authoritySecrets,
    clientVault,
    clientSecrets,
    clientVaultAt,
    signer: new MemorySigner(authorityVault),
    queue,
    counters: new TableCounters(tables.counters),
    sources: new SourceBuckets(),
    leases: new TableLeases(tables.record, clock, systemRandom),
    schedules: cronSchedules,
    metrics,
    policy: { ...POLICY, ...policy },
    site: {
      trustDomain: 'everleaf.test',
      publicBaseUrl: 'https://everleaf.test',
      revocationBaseUrl: 'http://everleaf.test',
      clientVaultUrl: 'https://clients.vault.test',
      authorityVaultUrl,
      cloudFqdn: 'cloud.everleaf.test',
      cloudPort: 55_000,
      cloudAuthPort: 65_000,
      cloudLocation: 'MocLocation',
      version: '0.0.0-test',
    },
    timers: {
      'renew-due': '0 */15 * * * *',
      reconcile: '0 30 2 * * *',
      'seal-audit': '0 */5 * * * *',
      'roll-authority': '0 0 1 * * *',
      'publish-crl': '0 15 */6 * * *',
      'renew-responders': '0 20 * * * *',
      backup: '0 30 3 * * *',
      'watch-fleet': '0 10,40 * * * *',
    },
  };
  return {
    deps,
    clock,
    run,
    newKey,
    authorityVault,
    authoritySecrets,
    clientVault,
    clientSecrets,
    clientVaultAt,
    tables,
    queue,
    checkpoints,
    backups,
    copies,
    lines,
    metrics,
    tick: async (used = deps) => {
      await runTimer(used, run, 'renew-due', tendFleet);
      // What fails is delivered again.
      if (queue.takeAnnouncements() > 0) await publishAtOnce(used, run).catch(() => queue.announceLists());
      for (const id of queue.takeOperations()) await advanceOperation(used, run, id);
      for (const item of queue.takeAll()) await doWork(used, run, item);
    },
  };
}
