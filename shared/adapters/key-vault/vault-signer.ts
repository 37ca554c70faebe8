import type { TokenCredential } from '@azure/identity';
import { CryptographyClient } from '@azure/keyvault-keys';
import { digestFor } from '../../pki/signature.ts';
import type { SignatureAlgorithm, Signer } from '../../ports/signer.ts';
import { ChallengedClient } from './challenged-client.ts';
import { vaultClientOptions } from './client-options.ts';
import { vaultError } from './errors.ts';
import type { VaultPolicy } from './watched-calls.ts';

/** Signs through keys/sign. One client per key version: each reads the key once and pays the challenge once. */
export class VaultSigner implements Signer {
  readonly #credential: TokenCredential;
  readonly #policies: readonly VaultPolicy[];
  readonly #clients = new Map<string, ChallengedClient<CryptographyClient>>();

  constructor(credential: TokenCredential, policies: readonly VaultPolicy[] = []) {
    this.#credential = credential;
    this.#policies = policies;
  }

  async sign(keyId: string, algorithm: SignatureAlgorithm, data: Uint8Array): Promise<Uint8Array> {
    try {
      const digest = digestFor(algorithm, data);
      const { result } = await this.#client(keyId).call((client) => client.sign(algorithm, digest));
      return result;
    } catch (error) {
      throw vaultError(error, `Cannot sign with ${keyId}`);
    }
  }

  #client(keyId: string): ChallengedClient<CryptographyClient> {
    const known = this.#clients.get(keyId);
    if (known !== undefined) return known;
    const client = new ChallengedClient(
      () => new CryptographyClient(keyId, this.#credential, vaultClientOptions(keyId, this.#policies)),
    );
    this.#clients.set(keyId, client);
    return client;
  }
}
