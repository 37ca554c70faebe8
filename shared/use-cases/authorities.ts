import { type ActiveAuthority, isActive } from '../domain/authority.ts';
import { EverleafError } from '../domain/errors.ts';
import { bundleId } from '../pki/bundle.ts';
import { encodePem } from '../pki/pem.ts';
import type { Deps } from './deps.ts';

/** The authority that signs now. @throws EverleafError NotReady before the first start has made one */
export async function readActiveAuthority(deps: Pick<Deps, 'fleet'>): Promise<ActiveAuthority> {
  const id = (await deps.fleet.deployment())?.value.activeAuthorityId ?? null;
  const authority = id === null ? null : ((await deps.fleet.authority(id))?.value ?? null);
  if (authority === null || !isActive(authority)) {
    throw new EverleafError('NotReady', 'The first start has not made the authority yet.', {
      retryable: true,
      retryAfterSeconds: 30,
    });
  }
  return authority;
}

export interface TrustBundle {
  /** Every trusted self-signed authority, as PEM. */
  readonly pem: string;
  /** Names exactly this set of certificates. */
  readonly id: string;
}

/** What agents must trust: every authority that a live certificate may need. */
export async function readTrustBundle(deps: Pick<Deps, 'fleet'>): Promise<TrustBundle> {
  const authorities = (await deps.fleet.authorities()).filter(isActive);
  if (authorities.length === 0) await readActiveAuthority(deps);
  const certificates = authorities.map((authority) => authority.certificate);
  return {
    pem: certificates.map((der) => encodePem('CERTIFICATE', der)).join(''),
    id: bundleId(certificates),
  };
}
