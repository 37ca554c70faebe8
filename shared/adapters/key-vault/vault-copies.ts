import type { TokenCredential } from '@azure/identity';
import { CertificateClient } from '@azure/keyvault-certificates';
import { SecretClient } from '@azure/keyvault-secrets';
import { EverleafError, isEverleafError } from '../../domain/errors.ts';
import type { VaultBackup, VaultCopy, VaultObjectType, VaultRestore } from '../../ports/vault-backup.ts';
import { ChallengedClient } from './challenged-client.ts';
import { vaultClientOptions } from './client-options.ts';
import { isMissing, vaultError } from './errors.ts';
import type { VaultPolicy } from './watched-calls.ts';

const POLL = { intervalInMs: 500 };

/** Copies out of one vault and into it, through the unmodified Key Vault clients. */
export class VaultCopies implements VaultBackup, VaultRestore {
  readonly #certificates: ChallengedClient<CertificateClient>;
  readonly #secrets: ChallengedClient<SecretClient>;

  constructor(vaultUrl: string, credential: TokenCredential, policies: readonly VaultPolicy[] = []) {
    const options = vaultClientOptions(vaultUrl, policies);
    this.#certificates = new ChallengedClient(() => new CertificateClient(vaultUrl, credential, options));
    this.#secrets = new ChallengedClient(() => new SecretClient(vaultUrl, credential, options));
  }

  async backup(type: VaultObjectType, name: string): Promise<VaultCopy | null> {
    try {
      // In this order: a version that is made in between is in the copy, and the one that is named is as well.
      const version = await this.#newest(type, name);
      if (version === null) return null;
      const blob =
        type === 'certificate'
          ? await this.#certificates.call((client) => client.backupCertificate(name))
          : await this.#secrets.call((client) => client.backupSecret(name));
      if (blob === undefined) throw new EverleafError('VaultRefused', `The backup of "${name}" came empty.`);
      return { version, blob: Uint8Array.from(blob) };
    } catch (error) {
      if (isMissing(error)) return null;
      throw toVaultError(error, `Cannot back up the ${type} "${name}"`);
    }
  }

  async versions(type: VaultObjectType, name: string): Promise<readonly string[]> {
    const list = async (pages: AsyncIterable<{ readonly version?: string }>) => {
      const versions: string[] = [];
      for await (const { version } of pages) if (version !== undefined) versions.push(version);
      return versions;
    };
    try {
      return type === 'certificate'
        ? await this.#certificates.call((client) => list(client.listPropertiesOfCertificateVersions(name)))
        : await this.#secrets.call((client) => list(client.listPropertiesOfSecretVersions(name)));
    } catch (error) {
      if (isMissing(error)) return [];
      throw toVaultError(error, `Cannot list the versions of the ${type} "${name}"`);
    }
  }

  async restore(type: VaultObjectType, blob: Uint8Array): Promise<void> {
    try {
      if (type === 'certificate') {
        await this.#certificates.call((client) => client.restoreCertificateBackup(blob));
      } else {
        await this.#secrets.call((client) => client.restoreSecretBackup(blob));
      }
    } catch (error) {
      throw toVaultError(error, `Cannot restore a ${type}`);
    }
  }

  async recover(type: VaultObjectType, name: string): Promise<void> {
    try {
      if (type === 'certificate') {
        await this.#certificates.call(async (client) =>
          (await client.beginRecoverDeletedCertificate(name, POLL)).pollUntilDone(),
        );
      } else {
        await this.#secrets.call(async (client) =>
          (await client.beginRecoverDeletedSecret(name, POLL)).pollUntilDone(),
        );
      }
    } catch (error) {
      throw toVaultError(error, `Cannot recover the soft-deleted ${type} "${name}"`);
    }
  }

  async #newest(type: VaultObjectType, name: string): Promise<string | null> {
    if (type === 'certificate') {
      const { cer, properties } = await this.#certificates.call((client) => client.getCertificate(name));
      return cer === undefined || cer.length === 0 ? null : (properties.version ?? null);
    }
    const { properties } = await this.#secrets.call((client) => client.getSecret(name));
    return properties.version ?? null;
  }
}

function toVaultError(error: unknown, doing: string): EverleafError {
  return isEverleafError(error) ? error : vaultError(error, doing);
}
