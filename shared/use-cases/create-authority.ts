import { type ActiveAuthority, type Authority, authorityCommonName, isActive } from '../domain/authority.ts';
import { isSameBytes, toHex } from '../domain/encoding.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { DAY_MS, SECOND_MS } from '../domain/instants.ts';
import { vaultAuthorityName } from '../domain/names.ts';
import { BACKDATE_MS, validityFor } from '../domain/policy.ts';
import { type AuthorityInput, buildAuthorityTbs } from '../pki/authority-certificate.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { parseCertificateRequestDer } from '../pki/certificate-request.ts';
import { encodeName } from '../pki/distinguished-name.ts';
import { lintAuthority } from '../pki/lint-authority.ts';
import { readPublicKey, spkiHash } from '../pki/public-key.ts';
import { signatureAlgorithmFor } from '../pki/signature.ts';
import type { KeySpec, VaultCertificate } from '../ports/credential-vault.ts';
import type { Stored } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';
import { newSerialNumber } from './issue-certificate.ts';
import { requestFromVault } from './request-from-vault.ts';
import { signCertificate } from './sign-certificate.ts';

/** How often, and how far apart, the vault is asked whether it has finished the key. A recorded one took 25 s. */
const KEY_POLLS = 60;
const KEY_POLL_MS = 2_000;

/** An id that has not been used: eight hexadecimal digits, part of the authority's name and of its vault name. */
export function newAuthorityId(deps: Pick<Deps, 'random'>): string {
  return toHex(deps.random.bytes(4));
}

/**
 * Makes an authority whose key is born in the vault and never leaves it. Key Vault signs no CA certificate that others
 * would accept, so: it makes a self-signed version for the sake of the key, then a request with the same key; the
 * authority's own certificate is built here, signed by that key in the vault, and merged.
 *
 * Safe to interrupt after every step and to repeat: serial number and dates are written down first, and a call that
 * finds them goes on with them.
 * @param id names the authority; the caller has written it down, so that every try makes the same one
 */
export async function createAuthority(deps: Deps, run: Run, id: string): Promise<ActiveAuthority> {
  const planned = await planAuthorityRecord(deps, id);
  if (isActive(planned)) return planned;
  await deps.identities.claimSerial(planned.serialNumber, {
    identity: { cluster: 'authority', name: id },
    instance: 'authority',
  });
  run.log.write('info', `Making the key of authority ${id} (${planned.keyType}) in the vault.`);
  const key = await ensureKey(deps, planned);
  const signed = await ensureCertificate(deps, planned, key);
  const merged = await mergeAuthority(deps, signed);
  await disableSelfSigned(deps, run, signed, merged);
  const active = await activate(deps, signed, merged);
  run.log.write('info', `Authority ${id} is active.`);
  return active;
}

type SignedAuthority = Authority & { readonly certificate: Uint8Array };

async function planAuthorityRecord(deps: Deps, id: string): Promise<Authority> {
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

/** Until it is signed, an authority lives as long as today's settings say. */
async function withTodaysPolicy(deps: Deps, { value, etag }: Stored<Authority>): Promise<Authority> {
  const planned = { ...value, ...validityFor(value.issuedAt, deps.policy.authorityValidityDays) };
  if (value.certificate !== null || planned.notAfter.getTime() === value.notAfter.getTime()) return value;
  await deps.fleet.replaceAuthority(planned, etag);
  return planned;
}

function keySpec(authority: Authority): KeySpec {
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
async function ensureKey(deps: Deps, authority: Authority): Promise<VaultCertificate> {
  const name = vaultAuthorityName(authority.id);
  for (let poll = 0; poll < KEY_POLLS; poll++) {
    // In this order: an operation that ends in between shows as a version.
    const pending = await deps.authorityVault.pending(name);
    const current = await deps.authorityVault.current(name);
    if (current !== null) return current;
    if (pending.state === 'waiting' || pending.state === 'ended')
      await deps.authorityVault.discardPending(name);
    if (pending.state !== 'busy') await createKey(deps, name, keySpec(authority));
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
    current.certificate === null ? { ...current, spkiHash: hash, keyId: key.keyId, certificate } : current,
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
    keySpec(authority),
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

async function activate(
  deps: Deps,
  signed: SignedAuthority,
  merged: VaultCertificate,
): Promise<ActiveAuthority> {
  const value = await updateAuthority(deps, signed.id, (current) =>
    current.state === 'Active'
      ? current
      : { ...current, state: 'Active', keyId: merged.keyId, vaultVersion: merged.version },
  );
  if (!isActive(value)) throw new EverleafError('Internal', `Authority ${signed.id} did not become active.`);
  return value;
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
