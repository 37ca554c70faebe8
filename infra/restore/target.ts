/** Where a backup is restored to, and by whose rights. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AzureCliCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import { VaultCopies } from '../../shared/adapters/key-vault/vault-copies.ts';
import { connectStorage, type RecordStorage } from '../../shared/adapters/storage/connect.ts';
import { TableAuditStore } from '../../shared/adapters/storage/table-audit-store.ts';
import { TableFleetStore } from '../../shared/adapters/storage/table-fleet-store.ts';
import { TableIdentityStore } from '../../shared/adapters/storage/table-identity-store.ts';
import { TableOcspStore } from '../../shared/adapters/storage/table-ocsp-store.ts';
import { TableRecordDump } from '../../shared/adapters/storage/table-record-dump.ts';
import { nodeDigest } from '../../shared/adapters/system/node-digest.ts';
import { systemClock } from '../../shared/adapters/system/system-clock.ts';
import { systemRandom } from '../../shared/adapters/system/system-random.ts';
import { readSettings } from '../../shared/config/settings.ts';
import { EverleafError } from '../../shared/domain/errors.ts';
import { RECORD_SHARDS } from '../../shared/domain/sharding.ts';
import type { RestoreDeps } from '../../shared/use-cases/restore-backup.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Target {
  readonly authorityVaultUrl: string;
  readonly storage: RecordStorage;
  /** For people. */
  readonly storageName: string;
  readonly credential: TokenCredential;
}

/**
 * Reads where to go: the app's own settings when there are any, else the environment of one machine.
 * @throws EverleafError InvalidSettings naming every mistake, or that there is neither
 */
export async function readTarget(environment: Environment): Promise<Target> {
  if ((environment['AUTHORITY_VAULT_URL'] ?? '') === '') {
    return localTarget(resolve(environment['EVERLEAF_STATE_DIR'] || '.everleaf'));
  }
  const { authorityVaultUrl, storage } = readSettings(environment);
  const storageName = 'connectionString' in storage ? 'this machine' : storage.tableServiceUri;
  return { authorityVaultUrl, storage, storageName, credential: credentialOf(environment) };
}

/** The identity of the machine where there is one, as in a shell inside Azure; else whoever is signed in by `az login`. */
function credentialOf(environment: Environment): TokenCredential {
  const clientId = environment['AZURE_CLIENT_ID'] ?? '';
  if ((environment['IDENTITY_ENDPOINT'] ?? '') === '' || clientId === '') return new AzureCliCredential();
  return new ManagedIdentityCredential({ clientId });
}

/** What of environment.json is needed here. */
interface LocalEnvironment {
  readonly endpoints: { readonly authorityVault: string };
  readonly storageConnectionString: string;
}

async function localTarget(stateDir: string): Promise<Target> {
  const read = (name: string) => readFile(join(stateDir, name), 'utf8');
  const text = await read('environment.json').catch(() => {
    throw new EverleafError(
      'InvalidSettings',
      `There is no ${join(stateDir, 'environment.json')} and AUTHORITY_VAULT_URL is not set. Set the app's settings for the place ` +
        'to restore into, or run `npm start` or `npm run services` for one on this machine.',
    );
  });
  const { endpoints, storageConnectionString } = JSON.parse(text) as LocalEnvironment;
  // The person with the portal open: the app itself has no right to restore.
  const token = (await read('person.token')).trim();
  return {
    authorityVaultUrl: endpoints.authorityVault,
    storage: { connectionString: storageConnectionString },
    storageName: 'this machine',
    credential: { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) },
  };
}

/** The product's own adapters, with these rights. Nothing is called yet. */
export function connectTarget({ storage, authorityVaultUrl, credential }: Target): RestoreDeps {
  const connected = connectStorage(storage, credential);
  const { record, serials, keys, answers, checkpoints } = connected;
  return {
    clock: systemClock,
    random: systemRandom,
    digest: nodeDigest,
    storage: Object.values(connected),
    record: new TableRecordDump({ record, serials, keys }),
    fleet: new TableFleetStore(record),
    ocsp: new TableOcspStore({ record, answers }),
    identities: new TableIdentityStore({ record, serials, keys }, RECORD_SHARDS),
    audit: new TableAuditStore(record, RECORD_SHARDS),
    checkpoints,
    vault: new VaultCopies(authorityVaultUrl, credential),
    authorityVaultUrl,
  };
}
