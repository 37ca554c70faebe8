import { toHex } from '../../domain/encoding.ts';
import { EverleafError } from '../../domain/errors.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Random } from '../../ports/random.ts';
import type { SecretOptions, SecretVault } from '../../ports/secret-vault.ts';

interface SecretVersion {
  readonly value: Secret<string>;
  readonly version: string;
}

/** A secret with all its versions, as a backup holds it. */
export interface StoredSecret {
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

  /** A copy with all its versions. @throws EverleafError NotFound */
  copyOut(name: string): StoredSecret {
    const secret = this.#secrets.get(name);
    if (secret !== undefined && !secret.isDeleted) return secret;
    throw new EverleafError('NotFound', `Cannot back up the secret "${name}": there is none.`);
  }

  /** @throws EverleafError VaultObjectDeleted, VaultRefused for a name that is not free */
  copyIn(name: string, secret: StoredSecret): void {
    const found = this.#secrets.get(name);
    if (found?.isDeleted === true)
      throw new EverleafError('VaultObjectDeleted', `"${name}" is soft-deleted.`);
    if (found !== undefined)
      throw new EverleafError('VaultRefused', `Cannot restore "${name}": it is there.`);
    this.#secrets.set(name, secret);
  }

  /** @throws EverleafError NotFound */
  recover(name: string): void {
    const secret = this.#secrets.get(name);
    if (secret?.isDeleted !== true) {
      throw new EverleafError('NotFound', `Cannot recover "${name}": it is not soft-deleted.`);
    }
    this.#secrets.set(name, { ...secret, isDeleted: false });
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

  /** As if it had never been. For tests. */
  purge(name: string): void {
    this.#secrets.delete(name);
  }
}
