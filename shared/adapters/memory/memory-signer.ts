import { EverleafError } from '../../domain/errors.ts';
import type { SignatureAlgorithm, Signer } from '../../ports/signer.ts';
import { signRaw } from './memory-certificates.ts';
import type { MemoryVault } from './memory-vault.ts';

/** Signs with the keys of a vault in memory. */
export class MemorySigner implements Signer {
  readonly #vault: MemoryVault;

  constructor(vault: MemoryVault) {
    this.#vault = vault;
  }

  async sign(keyId: string, algorithm: SignatureAlgorithm, data: Uint8Array): Promise<Uint8Array> {
    const key = this.#vault.keys.get(keyId);
    if (key === undefined)
      throw new EverleafError('NotFound', `Cannot sign with ${keyId}: there is no such key.`);
    return signRaw(key, algorithm, data);
  }
}
