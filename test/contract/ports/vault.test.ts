import { VaultCertificates } from '../../../shared/adapters/key-vault/vault-certificates.ts';
import { VaultCopies } from '../../../shared/adapters/key-vault/vault-copies.ts';
import { VaultSecrets } from '../../../shared/adapters/key-vault/vault-secrets.ts';
import { VaultSigner } from '../../../shared/adapters/key-vault/vault-signer.ts';
import { MemoryCopies } from '../../../shared/adapters/memory/memory-copies.ts';
import { MemorySecrets } from '../../../shared/adapters/memory/memory-secrets.ts';
import { MemorySigner } from '../../../shared/adapters/memory/memory-signer.ts';
import { MemoryVault } from '../../../shared/adapters/memory/memory-vault.ts';
import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import { systemRandom } from '../../../shared/adapters/system/system-random.ts';
import { readyKeys } from '../../support/ready-keys.ts';
import { startVault } from '../vault-stand-in/harness.ts';
import { describeCredentialVault } from './suites/credential-vault.ts';
import { describeSecretVault } from './suites/secret-vault.ts';
import { describeSigner } from './suites/signer.ts';
import { describeVaultCopies } from './suites/vault-copies.ts';
import type { MakeVault } from './suites/vault-subject.ts';

const inMemory: MakeVault = async () => {
  const vault = new MemoryVault('https://vault.test', systemClock, systemRandom, readyKeys());
  const secrets = new MemorySecrets(systemRandom);
  return {
    vault,
    secrets,
    signer: new MemorySigner(vault),
    copies: new MemoryCopies(vault, secrets, systemRandom, new Map()),
    softDeleteCertificate: async (name) => vault.softDelete(name),
    softDeleteSecret: async (name) => secrets.softDelete(name),
    purgeEverything: async (certificates, names) => {
      for (const name of certificates) vault.purge(name);
      for (const name of names) secrets.purge(name);
    },
  };
};

const onKeyVault: MakeVault = async (test) => {
  const { clients } = await startVault(test);
  const credential = {
    getToken: async () => ({ token: 'tester', expiresOnTimestamp: Date.now() + 86_400_000 }),
  };
  return {
    vault: new VaultCertificates(clients.url, credential),
    secrets: new VaultSecrets(clients.url, credential),
    signer: new VaultSigner(credential),
    copies: new VaultCopies(clients.url, credential),
    softDeleteCertificate: async (name) => void (await clients.request('DELETE', `/certificates/${name}`)),
    softDeleteSecret: async (name) => void (await clients.request('DELETE', `/secrets/${name}`)),
    purgeEverything: async (certificates, secrets) => {
      const paths = [
        ...certificates.map((name) => `certificates/${name}`),
        ...secrets.map((name) => `secrets/${name}`),
      ];
      for (const path of paths) {
        await clients.request('DELETE', `/${path}`);
        await clients.request('DELETE', `/deleted${path}`);
      }
    },
  };
};

for (const [name, makeVault] of [
  ['in memory', inMemory],
  ['Key Vault', onKeyVault],
] as const) {
  describeCredentialVault(name, makeVault);
  describeSecretVault(name, makeVault);
  describeSigner(name, makeVault);
  describeVaultCopies(name, makeVault);
}
