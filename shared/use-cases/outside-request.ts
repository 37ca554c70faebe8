import { type Authority, awaitsOutsideRoot } from '../domain/authority.ts';
import { EverleafError } from '../domain/errors.ts';
import { vaultAuthorityName } from '../domain/names.ts';
import { parseCertificateRequestDer } from '../pki/certificate-request.ts';
import { encodePem } from '../pki/pem.ts';
import { spkiHash } from '../pki/public-key.ts';
import type { PendingRequest } from '../ports/credential-vault.ts';
import { authorityKeySpec } from './authority-key.ts';
import type { Deps, Run } from './deps.ts';
import { requestFromVault } from './request-from-vault.ts';
import { updateAuthority } from './update-authority.ts';

/**
 * The request that an outside root is to sign. Its key is born with it in the vault, and stays there; the key's hash is
 * written down, and from then on the authority waits. A request that the vault has lost is made again with another key.
 */
export async function ensureOutsideRequest(
  deps: Pick<Deps, 'authorityVault' | 'fleet'>,
  run: Run,
  authority: Authority,
): Promise<PendingRequest> {
  const { id } = authority;
  const name = vaultAuthorityName(id);
  // The name belongs to this authority alone: a request that waits there is its own, whoever made it.
  const request = await requestFromVault(deps.authorityVault, name, authorityKeySpec(authority), () => true);
  const hash = spkiHash(parseCertificateRequestDer(request.csr).spki);
  if (authority.spkiHash === hash) return request;
  const after = await updateAuthority(deps, id, (current) =>
    isUnsigned(current) && current.spkiHash !== hash ? { ...current, spkiHash: hash } : current,
  );
  if (awaitsOutsideRoot(after)) {
    run.log.write(
      'warn',
      `Authority ${id} waits until the outside root has signed its request: fetch it at ` +
        `GET /api/authorities/${id}/csr and bring the certificate to POST /api/authorities/${id}/certificate.`,
    );
  }
  return request;
}

/**
 * The request of an authority that waits for the signature of an outside root.
 * @returns PEM
 * @throws EverleafError NotFound when there is no such authority, or it waits for none
 */
export async function readOutsideRequest(
  deps: Pick<Deps, 'authorityVault' | 'fleet' | 'policy'>,
  run: Run,
  id: string,
): Promise<string> {
  const authority = (await deps.fleet.authority(id))?.value;
  if (authority === undefined) throw new EverleafError('NotFound', `There is no authority ${id}.`);
  assertWaits(deps, authority);
  const { csr } = await ensureOutsideRequest(deps, run, authority);
  return encodePem('CERTIFICATE REQUEST', csr);
}

/** @throws EverleafError NotFound for an authority that waits for no signature from outside */
export function assertWaits(deps: Pick<Deps, 'policy'>, authority: Authority): void {
  if (isUnsigned(authority) && deps.policy.authorityRoot === 'outside') return;
  throw new EverleafError(
    'NotFound',
    `Authority ${authority.id} is ${authority.state} and has no request that waits for an outside root.`,
  );
}

function isUnsigned({ state, certificate }: Authority): boolean {
  return state === 'Creating' && certificate === null;
}
