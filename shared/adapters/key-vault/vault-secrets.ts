import type { TokenCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import { EverleafError } from '../../domain/errors.ts';
import { Secret } from '../../domain/secret.ts';
import type { SecretOptions, SecretVault } from '../../ports/secret-vault.ts';
import { ChallengedClient } from './challenged-client.ts';
import { vaultClientOptions } from './client-options.ts';
import { isMissing, vaultError } from './errors.ts';
import type { VaultPolicy } from './watched-calls.ts';

/** Secrets of one vault, through the unmodified Key Vault client. */
export class VaultSecrets implements SecretVault {
  readonly #client: ChallengedClient<SecretClient>;

  constructor(vaultUrl: string, credential: TokenCredential, policies: readonly VaultPolicy[] = []) {
    this.#client = new ChallengedClient(
      () => new SecretClient(vaultUrl, credential, vaultClientOptions(vaultUrl, policies)),
    );
  }

  async write(name: string, value: Secret<string>, options: SecretOptions): Promise<{ version: string }> {
    try {
      return await this.#set(name, value, options);
    } catch (error) {
      const translated = vaultError(error, `Cannot write the secret "${name}"`);
      if (translated.code !== 'VaultObjectDeleted') throw translated;
    }
    try {
      // The poller takes the 403 of a reader without getSecret for the end; should the recovery still be under way, the
      // write is refused as VaultUnavailable, and the caller's retry finds it done.
      await this.#client.call(async (client) => {
        const poller = await client.beginRecoverDeletedSecret(name, { intervalInMs: 500 });
        await poller.pollUntilDone();
      });
      return await this.#set(name, value, options);
    } catch (error) {
      throw vaultError(error, `Cannot recover the soft-deleted secret "${name}"`);
    }
  }

  async read(name: string, version?: string): Promise<{ value: Secret<string>; version: string } | null> {
    try {
      const options = version === undefined ? {} : { version };
      const found = await this.#client.call((client) => client.getSecret(name, options));
      if (found.value === undefined || found.properties.version === undefined) return null;
      return { value: new Secret(found.value), version: found.properties.version };
    } catch (error) {
      if (isMissing(error)) return null;
      throw vaultError(error, `Cannot read the secret "${name}"`);
    }
  }

  async #set(name: string, value: Secret<string>, options: SecretOptions): Promise<{ version: string }> {
    const { properties } = await this.#client.call((client) =>
      client.setSecret(name, value.reveal(), {
        contentType: options.contentType,
        tags: { ...options.tags },
        ...(options.expiresAt === null ? {} : { expiresOn: checkedDate(options.expiresAt) }),
      }),
    );
    if (properties.version === undefined) {
      throw new EverleafError('VaultRefused', `The vault stored the secret "${name}" and named no version.`);
    }
    return { version: properties.version };
  }
}

/** The client cuts seconds to 32 bits: a later date would arrive as one long past. */
const LAST_CARRIED_SECOND = 2 ** 31 - 1;

function checkedDate(date: Date): Date {
  if (date.getTime() / 1000 > LAST_CARRIED_SECOND) {
    throw new EverleafError(
      'InvalidInput',
      'The Key Vault client carries no date after 2038-01-19T03:14:07Z. Choose a shorter life.',
    );
  }
  return date;
}
