/** The files that the environment leaves for the people and programs that use it. */
import { join } from 'node:path';
import { offsetMs } from '../clock/shifted-date.ts';
import { loadOrCreateSigningKey } from '../issuer/signing-key.ts';
import { mintToken, TEN_YEARS_SECONDS } from '../issuer/tokens.ts';
import { API_AUDIENCE, DEFAULT_TRUST_DOMAIN, type Surroundings, VAULT_AUDIENCE } from './app-environment.ts';
import { writePrivateFile } from './files.ts';
import { issuerDirectory, loginDirectory } from './roles.ts';

export const ENVIRONMENT_FILE = 'environment.json';

/** Files in the state directory. */
export const FILES = {
  operatorToken: 'operator.token',
  readerToken: 'reader.token',
  personToken: 'person.token',
  caBundle: 'ca-bundle.pem',
} as const;

/** What stands in environment.json; programs on this machine find everything through it. */
export interface Environment {
  readonly format: 1;
  readonly version: string;
  readonly readyAt: string;
  readonly stateDir: string;
  readonly baseUrl: string;
  readonly clock: { readonly url: string; readonly now: string; readonly offsetSeconds: number };
  readonly settleUrl: string;
  readonly endpoints: {
    readonly authorityVault: string;
    readonly clientVault: string;
    readonly issuer: string;
    readonly blob: string;
    readonly queue: string;
    readonly table: string;
  };
  readonly managedIdentity: { readonly endpoint: string; readonly header: string; readonly clientId: string };
  readonly storageConnectionString: string;
  readonly masterKey: string;
  readonly trustDomain: string;
  readonly files: {
    readonly operatorToken: string;
    readonly readerToken: string;
    readonly caBundle: string;
    readonly loginDir: string;
  };
  readonly processes: readonly { readonly role: string; readonly pid: number }[];
  /** Fault injection of the vault stand-in; empty while it has none. */
  readonly faults: { readonly url: string };
}

/**
 * Writes the tokens of the operator, the reader and the person with the portal: anew at every start, valid for ten virtual
 * years. The provider must have made its key by then.
 */
export async function writeTokens(stateDir: string, { config, identity }: Surroundings): Promise<void> {
  const key = await loadOrCreateSigningKey(issuerDirectory(stateDir));
  const write = async (file: string, audience: string, objectId: string, roles: string[]) => {
    const { token } = await mintToken(key, {
      issuer: identity.issuer,
      tenantId: config.tenantId,
      audience,
      principal: { objectId, clientId: config.clientId, roles },
      lifetimeSeconds: TEN_YEARS_SECONDS,
    });
    writePrivateFile(join(stateDir, file), token);
  };
  await write(FILES.operatorToken, API_AUDIENCE, config.operatorId, ['Everleaf.Operator']);
  await write(FILES.readerToken, API_AUDIENCE, config.readerId, ['Everleaf.Reader']);
  await write(FILES.personToken, VAULT_AUDIENCE, config.personId, []);
}

/**
 * Asks the app for the authorities' certificates and keeps them in ca-bundle.pem.
 * @throws Error when the app does not answer with them
 */
export async function writeCaBundle(stateDir: string, baseUrl: string): Promise<void> {
  const url = `${baseUrl}/api/ca-bundle`;
  const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
  const text = await response.text();
  if (response.status !== 200 || !text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new Error(`GET ${url} answered ${response.status} and no certificate; expected the CA bundle.`);
  }
  writePrivateFile(join(stateDir, FILES.caBundle), text);
}

/**
 * Writes environment.json, in one step: who finds it finds an environment that is ready.
 * @param facts localUrl: who serves /local/clock and /local/settle
 * @returns what it wrote
 */
export function writeEnvironmentFile(
  stateDir: string,
  { config, baseUrl, storage, identity, vaults, faultsUrl }: Surroundings,
  facts: {
    version: string;
    localUrl: string;
    trustDomain: string | undefined;
    processes: Environment['processes'];
  },
): Environment {
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const environment: Environment = {
    format: 1,
    version: facts.version,
    readyAt: now,
    stateDir,
    baseUrl,
    clock: { url: `${facts.localUrl}/local/clock`, now, offsetSeconds: Math.floor(offsetMs() / 1000) },
    settleUrl: `${facts.localUrl}/local/settle`,
    endpoints: {
      authorityVault: vaults.authority,
      clientVault: vaults.clients,
      issuer: identity.issuer,
      blob: storage.blob,
      queue: storage.queue,
      table: storage.table,
    },
    managedIdentity: {
      endpoint: identity.msiEndpoint,
      header: config.identityHeader,
      clientId: config.clientId,
    },
    storageConnectionString: storage.connectionString,
    masterKey: config.masterKey,
    trustDomain: facts.trustDomain ?? DEFAULT_TRUST_DOMAIN,
    files: {
      operatorToken: join(stateDir, FILES.operatorToken),
      readerToken: join(stateDir, FILES.readerToken),
      caBundle: join(stateDir, FILES.caBundle),
      loginDir: loginDirectory(stateDir),
    },
    processes: facts.processes,
    faults: { url: `${faultsUrl}/faults` },
  };
  writePrivateFile(join(stateDir, ENVIRONMENT_FILE), `${JSON.stringify(environment, null, 2)}\n`);
  return environment;
}
