import { type Authority, isActive } from '../domain/authority.ts';
import type { HintSubject, VaultHint } from '../domain/vault-hint.ts';
import type { Deps, Run } from './deps.ts';
import type { HintOutcome } from './heed-hint.ts';
import { isFirstLook, isOfVault } from './hint-window.ts';
import { publishAtOnce } from './publish-crl.ts';
import { reconcileAuthority } from './reconcile.ts';
import { renewResponders } from './renew-responders.ts';
import { rollAuthority } from './roll-authority.ts';

/**
 * Looks at an authority or its responder: near its end or beyond as their timers do, under the timers' leases, and the
 * revocation lists with it. Of a new version that Everleaf did not make, one of the authority that signs is compared with
 * the record as `reconcile` does; a responder's gets what its timer does, because answers are signed with the versions in
 * the record and no other.
 */
export async function lookAtAuthority(
  deps: Deps,
  run: Run,
  { of, authorityId }: Extract<HintSubject, { of: 'authority' | 'responder' }>,
  hint: VaultHint,
): Promise<HintOutcome> {
  const all = await deps.fleet.authorities();
  const authority = all.find(({ id }) => id.toLowerCase() === authorityId);
  if (authority === undefined || !isOfVault(hint.vaultOrigin, deps.site.authorityVaultUrl)) return 'dropped';
  return of === 'authority'
    ? lookAtCertificate(deps, run, authority, hint)
    : lookAtResponder(deps, run, authority, hint);
}

async function lookAtCertificate(
  deps: Deps,
  run: Run,
  authority: Authority,
  { kind, version }: VaultHint,
): Promise<HintOutcome> {
  if (kind === 'new-version') {
    // One that is being made has versions which the record does not name yet.
    if (!isActive(authority) || authority.vaultVersion === version) return 'nothing';
    if (!(await isFirstLook(deps, run, `authority ${authority.id}`))) return 'too-soon';
    await reconcileAuthority(deps, run, authority);
    return 'looked';
  }
  // All of them are looked at together, so hints at any of them are one.
  if (!(await isFirstLook(deps, run, 'authorities'))) return 'too-soon';
  const isDone = (await rollAuthority(deps, run)) !== null;
  await publishAtOnce(deps, run);
  return isDone ? 'looked' : 'too-soon';
}

async function lookAtResponder(
  deps: Deps,
  run: Run,
  { id }: Authority,
  { kind, version }: VaultHint,
): Promise<HintOutcome> {
  if (kind === 'new-version') {
    const responder = (await deps.ocsp.responder(id))?.value ?? null;
    // While one is being made, its version is not in the record yet.
    const isOwn =
      responder?.certificates.some(({ keyId }) => keyId.toLowerCase().endsWith(`/${version}`)) === true;
    if (isOwn || (responder !== null && responder.attempt !== null)) return 'nothing';
  }
  if (!(await isFirstLook(deps, run, 'responders'))) return 'too-soon';
  return (await renewResponders(deps, run)) === null ? 'too-soon' : 'looked';
}
