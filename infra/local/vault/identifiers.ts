import { randomBytes } from 'node:crypto';
import { badParameter } from './errors.ts';
import type { Vault } from './request.ts';

export type Collection =
  | 'certificates'
  | 'keys'
  | 'secrets'
  | `deleted${'certificates' | 'keys' | 'secrets'}`;

/** A new object version or request id: 32 hexadecimal digits. */
export function newId(): string {
  return randomBytes(16).toString('hex');
}

/** The URL that identifies an object, or one version of it. */
export function objectId(vault: Vault, collection: Collection, name: string, version?: string): string {
  return `${vault.url}/${collection}/${name}${version === undefined ? '' : `/${version}`}`;
}

/**
 * Object names are 1 to 127 letters, digits and hyphens (Microsoft Learn, "About keys, secrets, and certificates").
 * This is also what keeps a name inside the state directory.
 * @throws VaultError 400
 */
export function checkName(name: string): void {
  if (!/^[0-9A-Za-z-]{1,127}$/.test(name)) {
    throw badParameter(`The request URI contains an invalid name: ${name.slice(0, 127)}`);
  }
}
