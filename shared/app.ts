import { ManagedIdentityCredential } from '@azure/identity';
import { ageCipher } from './adapters/backup/age-cipher.ts';
import { VaultCertificates } from './adapters/key-vault/vault-certificates.ts';
import { VaultCopies } from './adapters/key-vault/vault-copies.ts';
import { VaultSecrets } from './adapters/key-vault/vault-secrets.ts';
import { VaultSigner } from './adapters/key-vault/vault-signer.ts';
import { type VaultPolicy, watchedCalls } from './adapters/key-vault/watched-calls.ts';
import { connectStorage } from './adapters/storage/connect.ts';
import { TableAccessStore } from './adapters/storage/table-access-store.ts';
import { TableAuditStore } from './adapters/storage/table-audit-store.ts';
import { TableCounters } from './adapters/storage/table-counters.ts';
import { TableCrlStore } from './adapters/storage/table-crl-store.ts';
import { TableFleetStore } from './adapters/storage/table-fleet-store.ts';
import { TableLeases } from './adapters/storage/table-leases.ts';
import { TableOcspStore } from './adapters/storage/table-ocsp-store.ts';
import { TableOperationStore } from './adapters/storage/table-operation-store.ts';
import { TableRecordDump } from './adapters/storage/table-record-dump.ts';
import { TableRevocationRules } from './adapters/storage/table-revocation-rules.ts';
import { TellingIdentityStore } from './adapters/storage/telling-identity-store.ts';
import { cronSchedules } from './adapters/system/cron-schedules.ts';
import { nodeDigest } from './adapters/system/node-digest.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { systemRandom } from './adapters/system/system-random.ts';
import { MetricRegistry } from './adapters/telemetry/metric-registry.ts';
import { azureMonitorMetrics } from './adapters/telemetry/open-telemetry-metrics.ts';
import { eventTeller } from './adapters/telemetry/tell-event.ts';
import { environment } from './config/environment.ts';
import { readSettings, type Settings } from './config/settings.ts';
import { VERSION } from './config/version.ts';
import { RECORD_SHARDS } from './domain/sharding.ts';
import { SourceBuckets } from './domain/source-buckets.ts';
import { type OperatorAuthenticator, openIdOperators } from './http/operators.ts';
import type { ClientVault, Deps } from './use-cases/deps.ts';

/** The whole product behind its triggers. */
export interface App {
  readonly deps: Deps;
  readonly operators: OperatorAuthenticator;
}

/**
 * Joins the ports to their adapters: the one place where that happens. Calls nothing yet. On one machine the same
 * adapters talk to stand-ins; the settings are the only difference.
 */
export function createApp(settings: Settings): App {
  const credential = new ManagedIdentityCredential({ clientId: settings.managedIdentityClientId });
  const connected = connectStorage(settings.storage, credential);
  const { record, serials, keys, counters, answers, queue, checkpoints, crlFiles, backups } = connected;
  const { backupRecipients, telemetry } = settings;
  const metrics = telemetry === null ? new MetricRegistry() : azureMonitorMetrics(telemetry, credential);
  const policies = [watchedCalls(metrics)];
  return {
    deps: {
      clock: systemClock,
      random: systemRandom,
      digest: nodeDigest,
      identities: new TellingIdentityStore({ record, serials, keys }, RECORD_SHARDS, eventTeller(metrics)),
      fleet: new TableFleetStore(record),
      operations: new TableOperationStore(record, RECORD_SHARDS),
      ocsp: new TableOcspStore({ record, answers }),
      access: new TableAccessStore(record, RECORD_SHARDS),
      revocationRules: new TableRevocationRules(record, RECORD_SHARDS),
      crl: new TableCrlStore(record, RECORD_SHARDS),
      crlFiles,
      audit: new TableAuditStore(record, RECORD_SHARDS),
      checkpoints,
      recordDump: new TableRecordDump({ record, serials, keys }),
      backups,
      backupCipher: backupRecipients.length === 0 ? null : ageCipher(backupRecipients),
      vaultBackup: new VaultCopies(settings.authorityVaultUrl, credential, policies),
      storage: Object.values(connected),
      authorityVault: new VaultCertificates(settings.authorityVaultUrl, credential, policies),
      authoritySecrets: new VaultSecrets(settings.authorityVaultUrl, credential, policies),
      clientVault: new VaultCertificates(settings.clientVaultUrl, credential, policies),
      clientSecrets: new VaultSecrets(settings.clientVaultUrl, credential, policies),
      clientVaultAt: clientVaults(credential, policies),
      signer: new VaultSigner(credential, policies),
      queue,
      counters: new TableCounters(counters),
      sources: new SourceBuckets(),
      leases: new TableLeases(record, systemClock, systemRandom),
      schedules: cronSchedules,
      metrics,
      policy: settings.policy,
      site: {
        trustDomain: settings.trustDomain,
        publicBaseUrl: settings.publicBaseUrl,
        revocationBaseUrl: settings.revocationBaseUrl,
        clientVaultUrl: settings.clientVaultUrl,
        authorityVaultUrl: settings.authorityVaultUrl,
        cloudFqdn: settings.cloud.fqdn,
        cloudPort: settings.cloud.port,
        cloudAuthPort: settings.cloud.authPort,
        cloudLocation: settings.cloud.location,
        version: VERSION,
      },
      timers: {
        'renew-due': settings.schedules.renewDue,
        reconcile: settings.schedules.reconcile,
        'seal-audit': settings.schedules.sealAudit,
        'roll-authority': settings.schedules.rollAuthority,
        'publish-crl': settings.schedules.publishCrl,
        'renew-responders': settings.schedules.renewResponders,
        backup: settings.schedules.backup,
        'watch-fleet': settings.schedules.watchFleet,
      },
    },
    operators: openIdOperators(settings.operators, systemClock),
  };
}

/** One pair of clients per vault: each learns the way to its vault's tokens once. */
function clientVaults(
  credential: ManagedIdentityCredential,
  policies: readonly VaultPolicy[],
): Deps['clientVaultAt'] {
  const known = new Map<string, ClientVault>();
  return (url) => {
    const found = known.get(url) ?? {
      certificates: new VaultCertificates(url, credential, policies),
      secrets: new VaultSecrets(url, credential, policies),
    };
    known.set(url, found);
    return found;
  };
}

let app: App | undefined;

/**
 * The app of this process, made at the first invocation: a Functions worker may load the code before it knows the
 * settings. @throws EverleafError InvalidSettings when the settings have mistakes
 */
export function getApp(): App {
  app ??= createApp(readSettings(environment()));
  return app;
}

/**
 * Makes an app that was joined elsewhere the app of this process, instead of one that the environment describes: for
 * programs that run the functions themselves, over other adapters.
 */
export function useApp(made: App): void {
  app = made;
}
