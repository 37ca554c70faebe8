import { VaultCertificates } from '../../../shared/adapters/key-vault/vault-certificates.ts';
import { VaultSecrets } from '../../../shared/adapters/key-vault/vault-secrets.ts';
import { VaultSigner } from '../../../shared/adapters/key-vault/vault-signer.ts';
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
import type { MakeVault } from './suites/vault-subject.ts';

const inMemory: MakeVault = async () => {
  const vault = new MemoryVault('https://vault.test', systemClock, systemRandom, readyKeys());
  const secrets = new MemorySecrets(systemRandom);
  return {
    vault,
    secrets,
    signer: new MemorySigner(vault),
    softDeleteCertificate: async (name) => vault.softDelete(name),
    softDeleteSecret: async (name) => secrets.softDelete(name),
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
    softDeleteCertificate: async (name) => void (await clients.request('DELETE', `/certificates/${name}`)),
    softDeleteSecret: async (name) => void (await clients.request('DELETE', `/secrets/${name}`)),
  };
};

for (const [name, makeVault] of [
  ['in memory', inMemory],
  ['Key Vault', onKeyVault],
] as const) {
  describeCredentialVault(name, makeVault);
  describeSecretVault(name, makeVault);
  describeSigner(name, makeVault);
}
