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
    return signRaw(this.#vault.keyOf(keyId), algorithm, data);
  }
}
