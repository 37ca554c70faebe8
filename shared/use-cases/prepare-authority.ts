import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import {
  type Authority,
  authorityCommonName,
  type CrossCertificate,
  type FinishedAuthority,
  isFinished,
} from '../domain/authority.ts';
import { isSameBytes, toHex } from '../domain/encoding.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { addMs, DAY_MS, SECOND_MS, toInstant } from '../domain/instants.ts';
import { vaultAuthorityName } from '../domain/names.ts';
import { BACKDATE_MS, validityFor } from '../domain/policy.ts';
import { type AuthorityInput, buildAuthorityTbs } from '../pki/authority-certificate.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { parseCertificateRequestDer } from '../pki/certificate-request.ts';
import { encodeName } from '../pki/distinguished-name.ts';
import { lintAuthority } from '../pki/lint-authority.ts';
import { readPublicKey, spkiHash } from '../pki/public-key.ts';
import { signatureAlgorithmFor } from '../pki/signature.ts';
import type { VaultCertificate } from '../ports/credential-vault.ts';
import type { Stored } from '../ports/identity-store.ts';
import { authorityKeySpec, ensureAuthorityKey } from './authority-key.ts';
import { planCrossCertificate, signCrossCertificate } from './cross-sign.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { newSerialNumber } from './issue-certificate.ts';
import { requestFromVault } from './request-from-vault.ts';
import { signCertificate } from './sign-certificate.ts';

/** An attempt that has not been signed for so long gets new dates: with the old ones it would begin half spent. */
const STALE_MS = DAY_MS;

/** An id that has not been used: eight hexadecimal digits, part of the authority's name and of its vault name. */
export function newAuthorityId(deps: Pick<Deps, 'random'>): string {
  return toHex(deps.random.bytes(4));
}

/**
 * Prepares an authority whose key is born in the vault and never leaves it. Key Vault signs no CA certificate that others
 * would accept, so: it makes a self-signed version for the sake of the key, then a request with the same key; the
 * authority's own certificate is built here, signed by that key in the vault, and merged.
 *
 * The authorities that are trusted now cross-sign it, so that who knows only them accepts what it will sign.
 *
 * Safe to interrupt after every step and to repeat: serial number and dates are written down first, and a call that
 * finds them goes on with them.
 * @param id names the authority; the caller has written it down, so that every try makes the same one
 * @param predecessor the one that it will follow; null for the first
 * @returns the authority, prepared or further
 */
export async function prepareAuthority(
  deps: Deps,
  run: Run,
  id: string,
  predecessor: FinishedAuthority | null = null,
): Promise<FinishedAuthority> {
  const planned = await planAuthorityRecord(deps, id, predecessor);
  if (isFinished(planned)) return planned;
  if (planned.state !== 'Creating') {
    throw new EverleafError('Conflict', `Authority ${id} was given up while it was made.`, {
      retryable: true,
    });
  }
  await deps.identities.claimSerial(planned.serialNumber, ownerOf(id));
  run.log.write('info', `Making the key of authority ${id} (${planned.keyType}) in the vault.`);
  const key = await ensureAuthorityKey(deps, planned);
  const signed = await ensureCertificate(deps, planned, key);
  if (predecessor !== null) await ensureCrossCertificate(deps, signed, predecessor);
  const merged = await mergeAuthority(deps, signed);
  await disableSelfSigned(deps, run, signed, merged);
  return finish(deps, run, signed, merged);
}

type SignedAuthority = Authority & { readonly certificate: Uint8Array };

async function planAuthorityRecord(
  deps: Deps,
  id: string,
  predecessor: FinishedAuthority | null,
): Promise<Authority> {
  const existing = await deps.fleet.authority(id);
  if (existing !== null) return withTodaysPolicy(deps, existing);
  const value: Authority = {
    v: 1,
    id,
    state: 'Creating',
    keyType: deps.policy.authorityKeyType,
    serialNumber: newSerialNumber(deps),
    ...validityFor(deps.clock.now(), deps.policy.authorityValidityDays),
    commonName: authorityCommonName(id),
    spkiHash: null,
    keyId: null,
    certificate: null,
    vaultVersion: null,
    predecessorId: predecessor?.id ?? null,
    crossCertificates: [],
    issuers: [],
    leafValidityDays: deps.policy.certificateValidityDays,
    publishedAt: null,
    activatedAt: null,
    retiringAt: null,
    retiredAt: null,
    taintedAt: null,
    revokedAt: null,
    keyDisabledAt: null,
    taint: null,
  };
  try {
    await deps.fleet.insertAuthority(value);
    return value;
  } catch (error) {
    const winner = isEverleafError(error, 'AlreadyExists') ? await deps.fleet.authority(id) : null;
    if (winner === null) throw error;
    return winner.value;
  }
}

/** Until it is signed, an authority lives as long as today's settings say, and begins not long before it is signed. */
async function withTodaysPolicy(deps: Deps, { value, etag }: Stored<Authority>): Promise<Authority> {
  const now = deps.clock.now();
  const isStale = addMs(value.issuedAt, STALE_MS) < now;
  const planned = {
    ...value,
    ...validityFor(isStale ? now : value.issuedAt, deps.policy.authorityValidityDays),
    serialNumber: isStale ? newSerialNumber(deps) : value.serialNumber,
  };
  if (value.certificate !== null || planned.notAfter.getTime() === value.notAfter.getTime()) return value;
  await deps.fleet.replaceAuthority(planned, etag);
  return planned;
}

/** Request with the same key, certificate signed by that key, written down before the vault sees it. */
async function ensureCertificate(
  deps: Deps,
  authority: Authority,
  key: VaultCertificate,
): Promise<SignedAuthority> {
  const { spki } = parseCertificate(key.der);
  const hash = spkiHash(spki);
  if (authority.certificate !== null) return { ...authority, certificate: authority.certificate };
  const signatureAlgorithm = signatureAlgorithmFor(readPublicKey(spki));
  const input: AuthorityInput = {
    serialNumber: authority.serialNumber,
    notBefore: authority.notBefore,
    notAfter: authority.notAfter,
    subjectDer: encodeName({ commonName: authority.commonName }),
    spki,
    pathLength: 1,
    signatureAlgorithm,
  };
  const tbs = buildAuthorityTbs(input);
  const maximumValiditySeconds = (deps.policy.authorityValidityDays * DAY_MS + BACKDATE_MS) / SECOND_MS;
  lintAuthority(tbs, input, { maximumValiditySeconds });
  let certificate: Uint8Array;
  try {
    certificate = await signCertificate(deps, key.keyId, signatureAlgorithm, tbs, spki);
  } catch (error) {
    // Another start that came further meanwhile has disabled the version whose key was to sign.
    const recorded = (await deps.fleet.authority(authority.id))?.value;
    if (!recorded?.certificate) throw error;
    return { ...recorded, certificate: recorded.certificate };
  }
  return updateAuthority(deps, authority.id, (current) =>
    // Another run that gave it new dates meanwhile signs with those.
    current.certificate === null && current.serialNumber === authority.serialNumber
      ? { ...current, spkiHash: hash, keyId: key.keyId, certificate }
      : current,
  );
}

async function updateAuthority(
  deps: Deps,
  id: string,
  change: (authority: Authority) => Authority,
): Promise<SignedAuthority> {
  for (;;) {
    const stored = await deps.fleet.authority(id);
    if (stored === null) throw new EverleafError('NotFound', `There is no authority ${id}.`);
    const value = change(stored.value);
    try {
      if (value !== stored.value) await deps.fleet.replaceAuthority(value, stored.etag);
    } catch (error) {
      if (isEverleafError(error, 'Conflict')) continue;
      throw error;
    }
    if (value.certificate === null)
      throw new EverleafError('Internal', `Authority ${id} lost its certificate.`);
    return { ...value, certificate: value.certificate };
  }
}

/** Merges the recorded certificate, unless the vault has it already. */
async function mergeAuthority(deps: Deps, authority: SignedAuthority): Promise<VaultCertificate> {
  const name = vaultAuthorityName(authority.id);
  const isMerged = (found: VaultCertificate | null): found is VaultCertificate =>
    found !== null && isSameBytes(found.der, authority.certificate);
  const current = await deps.authorityVault.current(name);
  if (isMerged(current)) return current;
  await requestFromVault(
    deps.authorityVault,
    name,
    authorityKeySpec(authority),
    ({ csr }) => spkiHash(parseCertificateRequestDer(csr).spki) === authority.spkiHash,
  );
  try {
    return await deps.authorityVault.merge(name, [authority.certificate]);
  } catch (error) {
    const after = await deps.authorityVault.current(name);
    if (isMerged(after)) return after;
    throw error;
  }
}

async function finish(
  deps: Deps,
  run: Run,
  signed: SignedAuthority,
  merged: VaultCertificate,
): Promise<FinishedAuthority> {
  const { id, serialNumber, predecessorId, keyType, notAfter } = signed;
  // Before the row: after a kill in between it may stand there twice, and is never missing.
  await deps.identities.commit(FLEET_CHAIN, [
    eventChange(deps, run, 'authority-prepared', FLEET, {
      authorityId: id,
      serialNumber,
      details: { keyType, notAfter: toInstant(notAfter), predecessorId: predecessorId ?? '' },
    }),
  ]);
  const value = await updateAuthority(deps, id, (current) =>
    current.state === 'Creating'
      ? { ...current, state: 'Prepared', keyId: merged.keyId, vaultVersion: merged.version }
      : current,
  );
  if (!isFinished(value)) throw new EverleafError('Internal', `Authority ${id} was not finished.`);
  run.log.write('info', `Authority ${id} is prepared.`);
  return value;
}

/** The cross certificate by one other authority: decided, written down, signed, written down. */
async function ensureCrossCertificate(
  deps: Deps,
  authority: SignedAuthority,
  signer: FinishedAuthority,
): Promise<void> {
  if (signer.notAfter <= deps.clock.now()) return;
  const crossOf = ({ crossCertificates }: Authority) =>
    crossCertificates.find(({ issuerId }) => issuerId === signer.id);
  const planned = await updateAuthority(deps, authority.id, (current) =>
    crossOf(current) === undefined
      ? {
          ...current,
          crossCertificates: [...current.crossCertificates, planCrossCertificate(deps, signer, current)],
        }
      : current,
  );
  const cross = crossOf(planned);
  if (cross === undefined || cross.certificate !== null) return;
  await deps.identities.claimSerial(cross.serialNumber, ownerOf(authority.id));
  const certificate = await signCrossCertificate(deps, signer, authority.certificate, cross);
  const withSigned = (each: CrossCertificate): CrossCertificate =>
    each.serialNumber === cross.serialNumber && each.certificate === null ? { ...each, certificate } : each;
  await updateAuthority(deps, authority.id, (current) => ({
    ...current,
    crossCertificates: current.crossCertificates.map(withSigned),
  }));
}

/** Whose the serial numbers of an authority's own certificates are: no cluster can have this name's owner in it. */
function ownerOf(authorityId: string) {
  return { identity: { cluster: 'authority', name: authorityId }, instance: 'authority' };
}

/**
 * The self-signed version has served its purpose: its certificate is nobody's authority. Until the authority is active
 * its record names that version's key.
 */
async function disableSelfSigned(
  deps: Deps,
  run: Run,
  signed: SignedAuthority,
  merged: VaultCertificate,
): Promise<void> {
  const version = signed.keyId?.split('/').at(-1);
  if (version === undefined || version === merged.version) return;
  try {
    await deps.authorityVault.disable(vaultAuthorityName(signed.id), version);
  } catch (error) {
    // Tidiness only: an enabled left-over harms nothing, and the authority works.
    run.log.write(
      'warn',
      `Could not disable the self-signed version of authority ${signed.id}: ${String(error)}`,
    );
  }
}
