/**
 * The vault that the behaviour tests run against: the stand-in, or any vault by its URL, an Azure one for example, when
 * EVERLEAF_CONTRACT_VAULT_URL and EVERLEAF_CONTRACT_VAULT_TOKEN say so. The token is a bearer token for the vault's
 * audience whose principal may do everything with certificates, keys and secrets, purge included.
 */
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type Clients, clientsFor, startVault } from './harness.ts';

export interface AnyVault {
  readonly clients: Clients;
  /** A name that nobody else has; what bears it is deleted and purged when the test has ended. */
  name(suffix: string): string;
}

export async function openVault(t: TestContext): Promise<AnyVault> {
  const clients = clientsByUrl();
  if (clients === null) return { clients: (await startVault(t)).clients, name: (suffix) => suffix };
  const names: string[] = [];
  t.after(async () => {
    for (const name of names) await removeAll(clients, name);
  });
  return {
    clients,
    name: (suffix) => {
      const name = `everleaf-${randomBytes(6).toString('hex')}-${suffix}`;
      names.push(name);
      return name;
    },
  };
}

/** Null when the tests are to start a stand-in, one for each, which is gone with all that is in it. */
function clientsByUrl(): Clients | null {
  const url = process.env['EVERLEAF_CONTRACT_VAULT_URL'];
  if (url === undefined || url === '') return null;
  const token = process.env['EVERLEAF_CONTRACT_VAULT_TOKEN'];
  if (!token) {
    throw new Error(
      'EVERLEAF_CONTRACT_VAULT_URL is set: set EVERLEAF_CONTRACT_VAULT_TOKEN to a token for that vault.',
    );
  }
  // As people use the clients: with their own patience for a vault that throttles.
  return clientsFor(url.replace(/\/$/, ''), token, { retryOptions: {} });
}

/** Leaves nothing of that name where it can; a vault with purge protection keeps it for its time. */
async function removeAll({ certificates, keys, secrets }: Clients, name: string): Promise<void> {
  const attempts = [
    async () => (await certificates.beginDeleteCertificate(name)).pollUntilDone(),
    async () => (await secrets.beginDeleteSecret(name)).pollUntilDone(),
    async () => (await keys.beginDeleteKey(name)).pollUntilDone(),
    () => certificates.purgeDeletedCertificate(name),
    () => secrets.purgeDeletedSecret(name),
    () => keys.purgeDeletedKey(name),
  ];
  for (const attempt of attempts) await attempt().catch(() => undefined);
}
