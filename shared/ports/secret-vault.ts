import type { Secret } from '../domain/secret.ts';

/**
 * Secrets in a vault.
 * 1. `write` adds a version under the name and answers it; earlier versions stay readable. Writing the same value
 *    again only adds a version. A soft-deleted secret of that name is recovered first.
 * 2. `read` answers one version, or the newest; null when there is none.
 * 3. A value passes through in memory only.
 * Errors as Signer.
 */
export interface SecretVault {
  write(name: string, value: Secret<string>, options: SecretOptions): Promise<{ version: string }>;
  read(name: string, version?: string): Promise<{ value: Secret<string>; version: string } | null>;
}

export interface SecretOptions {
  readonly contentType: string;
  /** Hints for a person looking at the vault; the record never relies on them. */
  readonly tags: Readonly<Record<string, string>>;
  readonly expiresAt: Date | null;
}
