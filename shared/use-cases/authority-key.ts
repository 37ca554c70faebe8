import type { Authority } from '../domain/authority.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { vaultAuthorityName } from '../domain/names.ts';
import type { KeySpec, VaultCertificate } from '../ports/credential-vault.ts';
import type { Deps } from './deps.ts';

/** How often, and how far apart, the vault is asked whether it has finished the key. A recorded one took 25 s. */
const KEY_POLLS = 60;
const KEY_POLL_MS = 2_000;

/** What the vault is asked for: a key that never leaves it, used by every version of the name. */
export function authorityKeySpec(authority: Authority): KeySpec {
  return {
    keyType: authority.keyType,
    exportable: false,
    reuseKey: true,
    commonName: authority.commonName,
    organization: null,
    dnsNames: [],
    usage: 'authority',
  };
}

/** The finished version whose key is the authority's: the self-signed one, or a later one with the same key. */
export async function ensureAuthorityKey(deps: Deps, authority: Authority): Promise<VaultCertificate> {
  const name = vaultAuthorityName(authority.id);
  for (let poll = 0; poll < KEY_POLLS; poll++) {
    // In this order: an operation that ends in between shows as a version.
    const pending = await deps.authorityVault.pending(name);
    const current = await deps.authorityVault.current(name);
    if (current !== null) return current;
    if (pending.state === 'waiting' || pending.state === 'ended')
      await deps.authorityVault.discardPending(name);
    if (pending.state !== 'busy') await createKey(deps, name, authorityKeySpec(authority));
    else await deps.clock.wait(KEY_POLL_MS);
  }
  throw new EverleafError(
    'VaultObjectPending',
    `The vault has not finished the key of "${name}". Try again later.`,
    {
      retryable: true,
      retryAfterSeconds: 60,
    },
  );
}

async function createKey(deps: Deps, name: string, spec: KeySpec): Promise<void> {
  try {
    await deps.authorityVault.createSelfSigned(name, spec);
  } catch (error) {
    if (isEverleafError(error, 'VaultObjectDeleted')) await deps.authorityVault.recover(name);
    else if (!isEverleafError(error, 'VaultObjectPending')) throw error;
  }
}
