import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { CertificateClient, type CertificateClientOptions } from '@azure/keyvault-certificates';
import { CryptographyClient, KeyClient } from '@azure/keyvault-keys';
import { SecretClient } from '@azure/keyvault-secrets';
import type { VaultProcessConfig } from '../../../infra/local/vault/config.ts';
import type { VaultOptions } from '../../../infra/local/vault/vaults.ts';
import { startVaults } from '../../../infra/local/vault/vaults.ts';

/** The unmodified SDK clients of one vault, speaking for one principal. */
export interface Clients {
  readonly url: string;
  readonly certificates: CertificateClient;
  readonly keys: KeyClient;
  readonly secrets: SecretClient;
  /** The same, with other options for the clients. */
  with(options: CertificateClientOptions): Clients;
  /** A client for one key by its id. */
  cryptography(keyId: string): CryptographyClient;
  /** A plain request, for what the SDKs do not send. */
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}

/** A directory that is gone when the test has ended. */
export async function temporaryDirectory(
  test: TestContext | { after(fn: () => Promise<void>): void },
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'everleaf-vault-'));
  test.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Everything the process needs, with `tester` holding every role, and a vault that takes as much as it can. */
export function configFor(stateDir: string, overrides: Partial<VaultProcessConfig> = {}): VaultProcessConfig {
  return {
    stateDir,
    vaults: [{ name: 'clients', port: 0, quotas: false }],
    issuer: { url: 'https://issuer.invalid' },
    audience: 'https://vault.azure.net',
    roles: { roles: {}, assignments: [] },
    assignments: [{ principalId: 'tester', role: '*', vault: '*', scope: '/' }],
    ...overrides,
  };
}

/** A vault named `clients` in this process; a bearer token is the name of its principal. */
export async function startVault(
  test: TestContext | { after(fn: () => Promise<void>): void },
  options: { config?: Partial<VaultProcessConfig>; stateDir?: string } & VaultOptions = {},
): Promise<{ clients: Clients; controlUrl: string; stop(): Promise<void>; as(principal: string): Clients }> {
  const { config, stateDir, ...vaultOptions } = options;
  const directory = stateDir ?? (await temporaryDirectory(test));
  const vaults = await startVaults(configFor(directory, config), {
    authenticate: (token) => token,
    ...vaultOptions,
  });
  let stopped: Promise<void> | undefined;
  const stop = () => (stopped ??= vaults.stop());
  test.after(stop);
  const url = vaults.urls['clients'] ?? '';
  const as = (principal: string) => clientsFor(url, principal);
  return { clients: as('tester'), controlUrl: vaults.controlUrl ?? '', stop, as };
}

/** The SDK clients with a token that never changes. */
export function clientsFor(url: string, token: string, overrides: CertificateClientOptions = {}): Clients {
  const credential = {
    getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 100 * 365 * 86_400_000 }),
  };
  const options = {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
    ...overrides,
  };
  const secrets = new SecretClient(url, credential, options);
  return {
    url,
    certificates: new CertificateClient(url, credential, options),
    keys: new KeyClient(url, credential, options),
    secrets,
    with: (changes) => clientsFor(url, token, changes),
    cryptography: (keyId) => new CryptographyClient(keyId, credential, options),
    request: (method, path, body) => plainRequest(`${url}${path}`, method, token, body),
  };
}

/**
 * One request of each client by itself, to be made before many at once: side by side with others,
 * @azure/keyvault-common 2.1.0 may send a client's first request without its body, because the state of the
 * challenge belongs to the client (keyVaultAuthenticationPolicy; since 2.1.1 it belongs to the request).
 */
export async function answerChallenges({ certificates, secrets }: Clients): Promise<void> {
  await certificates.listPropertiesOfCertificates().next();
  await secrets.listPropertiesOfSecrets().next();
}

async function plainRequest(
  url: string,
  method: string,
  token: string,
  body: unknown,
): Promise<{ status: number; body: unknown }> {
  const separator = url.includes('?') ? '&' : '?';
  const response = await fetch(`${url}${separator}api-version=2025-07-01`, {
    method,
    headers: {
      ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
      'Content-Type': 'application/json',
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const received = await response.text();
  return { status: response.status, body: received === '' ? null : JSON.parse(received) };
}

/** For assert.rejects: the error as the SDKs surface it. */
export function restError(
  statusCode: number,
  code: string,
): { name: string; statusCode: number; code: string } {
  return { name: 'RestError', statusCode, code };
}

/** All items of a paged list, with the sizes of its pages. */
export async function collect<Item>(list: {
  byPage(): AsyncIterable<Item[]>;
}): Promise<{ items: Item[]; pageSizes: number[] }> {
  const items: Item[] = [];
  const pageSizes: number[] = [];
  for await (const page of list.byPage()) {
    items.push(...page);
    pageSizes.push(page.length);
  }
  return { items, pageSizes };
}
