/** What a vault can copy out: a certificate with its key, or a secret, each with all its versions. */
export type VaultObjectType = 'certificate' | 'secret';

export interface VaultCopy {
  /** The newest version in it. */
  readonly version: string;
  /** Opaque: only the vault's own kind can open it. */
  readonly blob: Uint8Array;
}

/**
 * Copies out of the authority vault.
 * 1. `backup` gives a copy of an object with all its versions, or null where there is no finished version.
 * 2. A copy says nothing to whoever holds it (Microsoft Learn, "Azure Key Vault backup and restore").
 * Errors as CredentialVault.
 */
export interface VaultBackup {
  backup(type: VaultObjectType, name: string): Promise<VaultCopy | null>;
}

/**
 * Copies into the authority vault: a right of whoever restores, and never the app's.
 * 1. `versions` names the versions of an object, in any order; none where there is no such object, or it is soft-deleted.
 * 2. `restore` brings an object back under its name, with the versions' own ids. VaultObjectDeleted when the name is
 *    soft-deleted, VaultRefused when it is taken or the copy is of no vault of this family.
 * 3. `recover` brings a soft-deleted object back. NotFound when there is none.
 * Errors as CredentialVault.
 */
export interface VaultRestore {
  versions(type: VaultObjectType, name: string): Promise<readonly string[]>;
  restore(type: VaultObjectType, blob: Uint8Array): Promise<void>;
  recover(type: VaultObjectType, name: string): Promise<void>;
}
