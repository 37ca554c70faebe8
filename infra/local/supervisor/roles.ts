/** The processes of the environment, in terms of the state directory's configuration. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { IssuerProcessConfig } from '../issuer/issuer.ts';
import type { StorageProcessConfig } from '../storage/storage.ts';
import type { RoleDefinitions, VaultProcessConfig } from '../vault/config.ts';
import { VAULT_AUDIENCE } from './app-environment.ts';
import type { EnvironmentConfig } from './environment-config.ts';
import type { ProcessDefinition } from './process-group.ts';

/** What all definitions need. */
export interface Place {
  /** The checkout: package.json, host.json, infra/ and dist/. */
  readonly checkout: string;
  readonly stateDir: string;
  readonly config: EnvironmentConfig;
  /** PATH and the like. */
  readonly machine: Readonly<Record<string, string>>;
}

// The host lets running functions end (10 s) and runs appTerminate hooks; storage writes all its data.
const STOP_TIMEOUT_MS = {
  storage: 60_000,
  issuer: 10_000,
  vault: 20_000,
  firstStart: 10_000,
  functions: 30_000,
};

export function storageProcess({ checkout, stateDir, config, machine }: Place): ProcessDefinition {
  const { blob, queue, table } = config.ports;
  return {
    role: 'storage',
    module: join(checkout, 'infra/local/storage/main.ts'),
    environment: machine,
    ownGroup: true,
    stopTimeoutMs: STOP_TIMEOUT_MS.storage,
    config: {
      directory: join(stateDir, 'storage'),
      ports: { blob, queue, table },
      accountKey: config.storageAccountKey,
    } satisfies StorageProcessConfig,
  };
}

/** Where the identity provider keeps its key. */
export function issuerDirectory(stateDir: string): string {
  return join(stateDir, 'issuer');
}

export function issuerProcess({ checkout, stateDir, config, machine }: Place): ProcessDefinition {
  return {
    role: 'issuer',
    module: join(checkout, 'infra/local/issuer/main.ts'),
    environment: machine,
    stopTimeoutMs: STOP_TIMEOUT_MS.issuer,
    config: {
      stateDir: issuerDirectory(stateDir),
      port: config.ports.issuer,
      tenantId: config.tenantId,
      clientId: config.clientId,
      principalId: config.principalId,
      identityHeader: config.identityHeader,
    } satisfies IssuerProcessConfig,
  };
}

/**
 * The vault stand-in with both vaults. The app's identity gets exactly the assignments of infra/role-definitions.json, the
 * file that the deployment to Azure loads too; the person with the portal may do everything.
 */
export function vaultProcess(
  place: Place,
  { issuer, storageConnectionString }: { readonly issuer: string; readonly storageConnectionString: string },
): ProcessDefinition {
  const { checkout, stateDir, config, machine } = place;
  const roles = JSON.parse(
    readFileSync(join(checkout, 'infra/role-definitions.json'), 'utf8'),
  ) as RoleDefinitions;
  const names = ['authority', 'clients'];
  return {
    role: 'vault',
    module: join(checkout, 'infra/local/vault/main.ts'),
    environment: machine,
    stopTimeoutMs: STOP_TIMEOUT_MS.vault,
    config: {
      stateDir: join(stateDir, 'vault'),
      vaults: [
        // As the deployment makes them.
        { name: 'authority', port: config.ports.authorityVault, purgeProtection: true },
        { name: 'clients', port: config.ports.clientVault, purgeProtection: true },
      ],
      faultsPort: config.ports.faults,
      // As the deployment subscribes to them.
      events: { connectionString: storageConnectionString, queueName: 'vault-events' },
      issuer: { url: issuer },
      audience: VAULT_AUDIENCE,
      roles,
      assignments: [
        ...roles.assignments.map((assignment) => ({ principalId: config.principalId, ...assignment })),
        ...names.map((vault) => ({ principalId: config.personId, role: '*', vault, scope: '/' })),
      ],
    } satisfies VaultProcessConfig,
  };
}

/**
 * The script of the first start: authority, management cluster, first certificates; nothing when all is there.
 * @param options caBundle: the file that gets the authorities' certificates, null for none
 */
export function firstStartProcess(
  { checkout, stateDir }: Place,
  app: Readonly<Record<string, string>>,
  { caBundle, onOutput }: { caBundle: string | null; onOutput: (text: string) => void },
): ProcessDefinition {
  return {
    role: 'first-start',
    module: join(checkout, 'infra/local/first-start.ts'),
    preloads: [new URL('./end-with-parent.ts', import.meta.url).href],
    environment: {
      ...app,
      EVERLEAF_LOGIN_DIR: loginDirectory(stateDir),
      ...(caBundle === null ? {} : { EVERLEAF_CA_BUNDLE: caBundle }),
    },
    stopTimeoutMs: STOP_TIMEOUT_MS.firstStart,
    config: {},
    onOutput,
  };
}

export function loginDirectory(stateDir: string): string {
  return join(stateDir, 'login');
}

export function functionsProcess(
  { checkout, config }: Place,
  app: Readonly<Record<string, string>>,
): ProcessDefinition {
  return {
    role: 'functions',
    module: join(checkout, 'infra/local/host/main.ts'),
    environment: app,
    stopTimeoutMs: STOP_TIMEOUT_MS.functions,
    config: {
      appDir: checkout,
      port: config.ports.functions,
      masterKey: config.masterKey,
      hostId: config.hostId,
      storageConnectionString: app['AzureWebJobsStorage'],
    },
  };
}
