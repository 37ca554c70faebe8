import type { Authority } from '../domain/authority.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { Owner } from '../ports/identity-store.ts';
import type { Deps } from './deps.ts';

/** An authority whose certificate is written down, whether or not the vault has it yet. */
export type SignedAuthority = Authority & { readonly certificate: Uint8Array };

export function isSigned(authority: Authority): authority is SignedAuthority {
  return authority.certificate !== null;
}

/**
 * Changes an authority's row as it stands, again and again until nobody else was quicker.
 * @param change gives the new value, or the one that it was given when there is nothing to change
 * @returns the row's value afterwards
 * @throws EverleafError NotFound
 */
export async function updateAuthority(
  deps: Pick<Deps, 'fleet'>,
  id: string,
  change: (authority: Authority) => Authority,
): Promise<Authority> {
  for (;;) {
    const stored = await deps.fleet.authority(id);
    if (stored === null) throw new EverleafError('NotFound', `There is no authority ${id}.`);
    const value = change(stored.value);
    if (value === stored.value) return value;
    try {
      await deps.fleet.replaceAuthority(value, stored.etag);
      return value;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
    }
  }
}

/** As `updateAuthority`, for an authority that has its certificate by then. @throws EverleafError Internal without one */
export async function updateSigned(
  deps: Pick<Deps, 'fleet'>,
  id: string,
  change: (authority: Authority) => Authority,
): Promise<SignedAuthority> {
  const value = await updateAuthority(deps, id, change);
  if (!isSigned(value)) throw new EverleafError('Internal', `Authority ${id} lost its certificate.`);
  return value;
}

/** Whose the serial numbers of an authority's own certificates are: no cluster can have this name's owner in it. */
export function ownerOfAuthority(authorityId: string): Owner {
  return { identity: { cluster: 'authority', name: authorityId }, instance: 'authority' };
}
