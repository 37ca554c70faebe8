import { toHex } from '../../domain/encoding.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Random } from '../../ports/random.ts';
import type { SecretOptions, SecretVault } from '../../ports/secret-vault.ts';

interface SecretVersion {
  readonly value: Secret<string>;
  readonly version: string;
}

interface StoredSecret {
  readonly versions: readonly SecretVersion[];
  readonly isDeleted: boolean;
}

/** Secrets in memory, with the promises of the port. */
export class MemorySecrets implements SecretVault {
  readonly #random: Random;
  readonly #secrets = new Map<string, StoredSecret>();

  constructor(random: Random) {
    this.#random = random;
  }

  async write(name: string, value: Secret<string>, _options: SecretOptions): Promise<{ version: string }> {
    const version = toHex(this.#random.bytes(16));
    const earlier = this.#secrets.get(name)?.versions ?? [];
    this.#secrets.set(name, { versions: [...earlier, { value, version }], isDeleted: false });
    return { version };
  }

  async read(name: string, version?: string): Promise<SecretVersion | null> {
    const found = this.versions(name);
    return (version === undefined ? found.at(-1) : found.find((one) => one.version === version)) ?? null;
  }

  /** Every version, oldest first; none while the secret is soft-deleted. For tests. */
  versions(name: string): readonly SecretVersion[] {
    const secret = this.#secrets.get(name);
    return secret === undefined || secret.isDeleted ? [] : secret.versions;
  }

  /** Holds what another vault holds, and forgets what it held itself. For tests. */
  copyFrom(other: MemorySecrets): void {
    this.#secrets.clear();
    for (const [name, secret] of other.#secrets) this.#secrets.set(name, secret);
  }

  /** What somebody with the rights for it may do at any time. For tests. */
  softDelete(name: string): void {
    const secret = this.#secrets.get(name);
    if (secret !== undefined) this.#secrets.set(name, { ...secret, isDeleted: true });
  }
}
