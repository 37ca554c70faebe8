import { toHex } from '../../domain/encoding.ts';
import { EverleafError } from '../../domain/errors.ts';
import type { Random } from '../../ports/random.ts';
import type { VaultBackup, VaultCopy, VaultObjectType, VaultRestore } from '../../ports/vault-backup.ts';
import type { MemorySecrets, StoredSecret } from './memory-secrets.ts';
import type { CertificateEntry, MemoryVault } from './memory-vault.ts';

/** What was copied out, by the blob that stands for it: vaults that share it are of one family. */
export type CopyFamily = Map<
  string,
  { readonly name: string; readonly certificate?: CertificateEntry; readonly secret?: StoredSecret }
>;

/** Copies out of a vault in memory and into it, with the promises of the ports. */
export class MemoryCopies implements VaultBackup, VaultRestore {
  readonly #vault: MemoryVault;
  readonly #secrets: MemorySecrets;
  readonly #random: Random;
  readonly #family: CopyFamily;

  constructor(vault: MemoryVault, secrets: MemorySecrets, random: Random, family: CopyFamily) {
    this.#vault = vault;
    this.#secrets = secrets;
    this.#random = random;
    this.#family = family;
  }

  async backup(type: VaultObjectType, name: string): Promise<VaultCopy | null> {
    const version = (await this.versions(type, name)).at(-1);
    if (version === undefined) return null;
    const blob = this.#random.bytes(32);
    const copied =
      type === 'certificate'
        ? { certificate: this.#vault.copyOut(name) }
        : { secret: this.#secrets.copyOut(name) };
    this.#family.set(toHex(blob), { name, ...copied });
    return { version, blob };
  }

  async versions(type: VaultObjectType, name: string): Promise<readonly string[]> {
    const versions = type === 'certificate' ? this.#vault.versions(name) : this.#secrets.versions(name);
    return versions.map(({ version }) => version);
  }

  async restore(type: VaultObjectType, blob: Uint8Array): Promise<void> {
    const found = this.#family.get(toHex(blob));
    if (type === 'certificate' && found?.certificate !== undefined) {
      this.#vault.copyIn(found.name, found.certificate);
    } else if (type === 'secret' && found?.secret !== undefined) {
      this.#secrets.copyIn(found.name, found.secret);
    } else {
      throw new EverleafError('VaultRefused', `Cannot restore a ${type}: the copy is of no such vault.`);
    }
  }

  async recover(type: VaultObjectType, name: string): Promise<void> {
    if (type === 'certificate') await this.#vault.recover(name);
    else this.#secrets.recover(name);
  }
}
