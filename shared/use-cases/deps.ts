import type { Verdict } from '../domain/access.ts';
import type { Action } from '../domain/actions.ts';
import type { Actor } from '../domain/audit.ts';
import type { Policy } from '../domain/policy.ts';
import type { SourceBuckets } from '../domain/source-buckets.ts';
import type { AccessStore } from '../ports/access-store.ts';
import type { AuditStore } from '../ports/audit-store.ts';
import type { BackupCipher } from '../ports/backup-cipher.ts';
import type { BackupStore } from '../ports/backup-store.ts';
import type { CheckpointStore } from '../ports/checkpoint-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Counters } from '../ports/counters.ts';
import type { CredentialVault } from '../ports/credential-vault.ts';
import type { CrlFiles } from '../ports/crl-files.ts';
import type { CrlStore } from '../ports/crl-store.ts';
import type { Digest } from '../ports/digest.ts';
import type { FleetStore } from '../ports/fleet-store.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Leases } from '../ports/lease.ts';
import type { Log } from '../ports/log.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { OcspStore } from '../ports/ocsp-store.ts';
import type { OperationStore } from '../ports/operation-store.ts';
import type { Random } from '../ports/random.ts';
import type { RecordDump } from '../ports/record-dump.ts';
import type { RevocationRules } from '../ports/revocation-rules.ts';
import type { Schedules } from '../ports/schedule.ts';
import type { SecretVault } from '../ports/secret-vault.ts';
import type { Signer } from '../ports/signer.ts';
import type { StorageSetup } from '../ports/storage-setup.ts';
import type { VaultBackup } from '../ports/vault-backup.ts';
import type { WorkQueue } from '../ports/work-queue.ts';

/** What the use cases need of the world. `createApp` fills it with adapters, tests with the memory twins. */
export interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly digest: Digest;
  readonly identities: IdentityStore;
  readonly fleet: FleetStore;
  readonly operations: OperationStore;
  readonly ocsp: OcspStore;
  readonly access: AccessStore;
  readonly revocationRules: RevocationRules;
  /** What the revocation lists are made of, and the lists themselves. */
  readonly crl: CrlStore;
  readonly crlFiles: CrlFiles;
  readonly audit: AuditStore;
  readonly checkpoints: CheckpointStore;
  readonly recordDump: RecordDump;
  readonly backups: BackupStore;
  /** Null: no backups are written, because nobody could open them. */
  readonly backupCipher: BackupCipher | null;
  readonly vaultBackup: VaultBackup;
  /** Everything that must exist before the record can be used. */
  readonly storage: readonly StorageSetup[];
  readonly authorityVault: CredentialVault;
  readonly authoritySecrets: SecretVault;
  readonly clientVault: CredentialVault;
  readonly clientSecrets: SecretVault;
  /** The client vault at an address that was checked when a cluster named it; the same one for the same address. */
  readonly clientVaultAt: (url: string) => ClientVault;
  readonly signer: Signer;
  readonly queue: WorkQueue;
  readonly counters: Counters;
  /** This instance's own memory of sources whose tokens were refused, and of who had answers signed. */
  readonly sources: SourceBuckets;
  readonly leases: Leases;
  readonly schedules: Schedules;
  readonly metrics: Metrics;
  readonly policy: Policy;
  readonly site: Site;
  /** NCRONTAB of every timer, by function name. */
  readonly timers: Readonly<Record<TimerName, string>>;
}

/** Both sides of one vault: certificates with their keys, and secrets. */
export interface ClientVault {
  readonly certificates: CredentialVault;
  readonly secrets: SecretVault;
}

/** The timers, named as the functions that they run. */
export type TimerName =
  | 'renew-due'
  | 'reconcile'
  | 'seal-audit'
  | 'roll-authority'
  | 'publish-crl'
  | 'renew-responders'
  | 'backup'
  | 'watch-fleet';

/** Where this deployment stands in the world: facts that end up in certificates and login files. */
export interface Site {
  readonly trustDomain: string;
  /** The address that agents call, without a slash at its end: the proofs that they sign name it. */
  readonly publicBaseUrl: string;
  /** Stands in every certificate: where its revocation and its authority's certificate are found. */
  readonly revocationBaseUrl: string;
  readonly clientVaultUrl: string;
  readonly authorityVaultUrl: string;
  /** What the cloud agent's login file tells its clients about the cloud agent. */
  readonly cloudFqdn: string;
  readonly cloudPort: number;
  readonly cloudAuthPort: number;
  readonly cloudLocation: string;
  /** Version of the program, for status pages. */
  readonly version: string;
}

/** One run of a use case: who caused it, and the id that ties its traces together. */
export interface Run {
  readonly actor: Actor;
  readonly correlationId: string;
  readonly log: Log;
  /** What the caller of a route may do; left out where the program acts by itself. */
  readonly rights?: Rights;
}

/** The access rules, asked about one caller. */
export interface Rights {
  may(action: Action, scope: string): Promise<Verdict>;
  /** @throws EverleafError AccessDenied, which says why not */
  demand(action: Action, scope: string): Promise<void>;
}
