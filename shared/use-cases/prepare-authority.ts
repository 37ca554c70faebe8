import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import {
  type Authority,
  authorityCommonName,
  type FinishedAuthority,
  isFinished,
} from '../domain/authority.ts';
import { toHex } from '../domain/encoding.ts';
import { type ErrorCode, EverleafError, isEverleafError } from '../domain/errors.ts';
import { addMs, DAY_MS, SECOND_MS, toInstant } from '../domain/instants.ts';
import { BACKDATE_MS, validityFor } from '../domain/policy.ts';
import { type AuthorityInput, buildAuthorityTbs } from '../pki/authority-certificate.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { encodeName } from '../pki/distinguished-name.ts';
import { lintAuthority } from '../pki/lint-authority.ts';
import { readPublicKey, spkiHash } from '../pki/public-key.ts';
import { signatureAlgorithmFor } from '../pki/signature.ts';
import type { VaultCertificate } from '../ports/credential-vault.ts';
import type { Stored } from '../ports/identity-store.ts';
import { ensureAuthorityKey } from './authority-key.ts';
import { ensureCrossCertificate } from './cross-sign.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { newSerialNumber } from './issue-certificate.ts';
import { disableSelfSigned, mergeAuthority } from './merge-authority.ts';
import { ensureOutsideRequest } from './outside-request.ts';
import { signCertificate } from './sign-certificate.ts';
import { isSigned, ownerOfAuthority, type SignedAuthority, updateAuthority } from './update-authority.ts';

/** An attempt that has not been signed for so long gets new dates: with the old ones it would begin half spent. */
const STALE_MS = DAY_MS;

/** An id that has not been used: eight hexadecimal digits, part of the authority's name and of its vault name. */
export function newAuthorityId(deps: Pick<Deps, 'random'>): string {
  return toHex(deps.random.bytes(4));
}

/**
 * Prepares an authority whose key is born in the vault and never leaves it. Key Vault signs no CA certificate that others
 * would accept, so: it makes a self-signed version for the sake of the key, then a request with the same key; the
 * authority's own certificate is built here, signed by that key in the vault, and merged. With an outside root there is
 * the request alone, and the certificate is the one that the root has signed (`takeOutsideCertificate`).
 *
 * The authorities that are trusted now cross-sign it, so that who knows only them accepts what it will sign; one that
 * signs no more and whose key is gone from the vault keeps nobody waiting.
 *
 * Safe to interrupt after every step and to repeat: serial number and dates are written down first, and a call that
 * finds them goes on with them.
 * @param id names the authority; the caller has written it down, so that every try makes the same one
 * @param predecessor the one that it will follow, which cross-signs it; null for the first
 * @param others more that cross-sign it
 * @returns the authority, prepared or further; null while its request waits for the signature of an outside root
 */
export async function prepareAuthority(
  deps: Deps,
  run: Run,
  id: string,
  predecessor: FinishedAuthority | null = null,
  others: readonly FinishedAuthority[] = [],
): Promise<FinishedAuthority | null> {
  const planned = await planAuthorityRecord(deps, id, predecessor);
  if (isFinished(planned)) return planned;
  if (planned.state !== 'Creating') {
    throw givenUp(id);
  }
  if (planned.certificate === null && deps.policy.authorityRoot === 'outside') {
    await ensureOutsideRequest(deps, run, planned);
    return null;
  }
  const signed = isSigned(planned) ? planned : await signItself(deps, run, planned);
  for (const signer of predecessor === null ? others : [predecessor, ...others]) {
    await crossSign(deps, run, signed, signer);
  }
  const merged = await mergeAuthority(deps, signed);
  await disableSelfSigned(deps, run, signed, merged);
  return finish(deps, run, signed, merged);
}

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

/** The authority's own key signs its certificate, which is written down before the vault sees it. */
async function signItself(deps: Deps, run: Run, authority: Authority): Promise<SignedAuthority> {
  await deps.identities.claimSerial(authority.serialNumber, ownerOfAuthority(authority.id));
  run.log.write('info', `Making the key of authority ${authority.id} (${authority.keyType}) in the vault.`);
  const key = await ensureAuthorityKey(deps, authority);
  const { spki } = parseCertificate(key.der);
  const hash = spkiHash(spki);
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
    if (!recorded || !isSigned(recorded)) throw error;
    return recorded;
  }
  const recorded = await updateAuthority(deps, authority.id, (current) =>
    isStillPlanned(current, authority)
      ? { ...current, spkiHash: hash, keyId: key.keyId, certificate }
      : current,
  );
  if (recorded.state === 'Retired') return throwKeyAway(deps, recorded);
  if (isSigned(recorded)) return recorded;
  throw new EverleafError('Conflict', `Authority ${authority.id} got other dates while it was signed.`, {
    retryable: true,
  });
}

/** Another run that gave it new dates meanwhile signs with those, also where another policy has moved its end alone. */
function isStillPlanned(current: Authority, { serialNumber, notAfter }: Authority): boolean {
  return (
    current.state === 'Creating' &&
    current.certificate === null &&
    current.serialNumber === serialNumber &&
    current.notAfter.getTime() === notAfter.getTime()
  );
}

/** Of an authority that was given up meanwhile the vault may have got a key again, after those that it had were disabled. */
async function throwKeyAway(deps: Deps, { id }: Authority): Promise<never> {
  await updateAuthority(deps, id, (current) =>
    current.keyDisabledAt === null ? current : { ...current, keyDisabledAt: null },
  );
  throw givenUp(id);
}

function givenUp(id: string): EverleafError {
  return new EverleafError('Conflict', `Authority ${id} was given up while it was made.`, {
    retryable: true,
  });
}

/** What a vault answers for a key that was disabled, deleted or replaced there. It has just signed with another one. */
const KEY_GONE: readonly ErrorCode[] = ['VaultAccessDenied', 'VaultRefused', 'NotFound'];

/**
 * Has another authority vouch for this one. One that signs no more may have lost its key: whoever hears that a key is
 * stolen disables it in the vault before anything else. The next authority must not wait for such a key, because until
 * it signs nobody does.
 */
async function crossSign(
  deps: Deps,
  run: Run,
  signed: SignedAuthority,
  signer: FinishedAuthority,
): Promise<void> {
  try {
    await ensureCrossCertificate(deps, run, signed, signer);
  } catch (error) {
    if (signer.state === 'Active' || !isEverleafError(error, ...KEY_GONE)) throw error;
    run.log.write(
      'warn',
      `Authority ${signed.id} goes without the cross certificate of authority ${signer.id}, whose key signs no more: ` +
        `${error.message} Whoever knows only that one refuses what this one signs, until it has the present bundle.`,
      { code: error.code },
    );
  }
}

async function finish(
  deps: Deps,
  run: Run,
  signed: SignedAuthority,
  merged: VaultCertificate,
): Promise<FinishedAuthority> {
  const { id, serialNumber, predecessorId, keyType, notAfter } = signed;
  const recorded = (await deps.fleet.authority(id))?.value;
  if (recorded?.state === 'Retired') return throwKeyAway(deps, recorded);
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
