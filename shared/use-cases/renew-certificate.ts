import type { ActiveAuthority } from '../domain/authority.ts';
import { isSameBytes } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import {
  type CertificateAttempt,
  type CertificateRecord,
  type Identity,
  isServer,
  VAULT_INSTANCE,
} from '../domain/identity.ts';
import { type IdentityId, identityText, vaultCertificateName } from '../domain/names.ts';
import { isWorkDue } from '../domain/renewal-plan.ts';
import { findRule } from '../domain/revocation.ts';
import {
  type CertificateRequest,
  checkCertificateRequest,
  parseCertificateRequestDer,
} from '../pki/certificate-request.ts';
import { type PublicKeyInfo, spkiHash } from '../pki/public-key.ts';
import type { CredentialVault, KeySpec, VaultCertificate } from '../ports/credential-vault.ts';
import { readIssuingAuthority } from './authorities.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { assertIssuable } from './find-revocation.ts';
import { isAttemptUsable, planAttempt, signLeaf } from './issue-certificate.ts';
import { putInForce, recordCertificate } from './put-in-force.ts';
import { requestFromVault } from './request-from-vault.ts';
import { updateIdentity } from './update-identity.ts';
import { vaultsOf } from './vaults-of.ts';

/** How many attempts one call may begin: the first, and one more when the vault lost the first one's key. */
const ATTEMPTS = 2;

/**
 * Gives a vault-delivered identity its next certificate: a new key and a new version in the vault, the old version
 * kept. Record and vault cannot change together, so every step is written down before the next is taken, and a call
 * that finds a half-finished attempt goes on from there with the same serial number and dates.
 * @param generation the certificate generation that this renewal replaces: a later one means it is done
 * @throws EverleafError whatever stands in the way; nothing is lost, the next call goes on
 */
export async function renewCertificate(
  deps: Deps,
  run: Run,
  id: IdentityId,
  generation: number,
): Promise<'renewed' | 'nothing-to-do'> {
  const authority = await readIssuingAuthority(deps);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const identity = await beginAttempt(deps, run, id, generation, authority);
    if (identity === null) return 'nothing-to-do';
    const merged = await finishAttempt(deps, run, identity, authority);
    if (merged !== null) {
      await putInForce(deps, run, id, merged.record, merged.version, authority);
      return 'renewed';
    }
  }
  throw new EverleafError(
    'VaultRefused',
    `Cannot finish a certificate of ${identityText(id)}: the vault lost the key of every attempt. It is tried again.`,
    { retryable: true },
  );
}

type WithAttempt = Identity & { readonly certificate: { readonly attempt: CertificateAttempt } };

function hasAttempt(identity: Identity): identity is WithAttempt {
  return identity.certificate.attempt !== null;
}

/** Step 1: writes down serial number and dates, or finds those of an attempt that a crash left. Null: all done. */
async function beginAttempt(
  deps: Deps,
  run: Run,
  id: IdentityId,
  generation: number,
  authority: ActiveAuthority,
): Promise<WithAttempt | null> {
  let isDone = false;
  const identity = await updateIdentity(deps, id, async (current) => {
    const { attempt } = current.certificate;
    isDone =
      current.certificate.generation !== generation ||
      current.revokedAt !== null ||
      (attempt === null && !isWorkDue(current, 'certificate', deps.clock.now()));
    // A rule can go again, so what it holds back is a failure that is tried again, and not the end.
    if (!isDone) await assertIssuable(deps, current);
    if (isDone || (attempt !== null && (await isUsable(deps, current, attempt, authority)))) return null;
    return replaceAttempt(deps, run, current, planAttempt(deps, authority, current));
  });
  return !isDone && hasAttempt(identity) ? identity : null;
}

/** A certificate of an attempt that began before a rule's moment would come into force revoked. */
async function isUsable(
  deps: Deps,
  identity: Identity,
  attempt: CertificateAttempt,
  authority: ActiveAuthority,
): Promise<boolean> {
  if (!isAttemptUsable(deps, attempt, authority)) return false;
  return findRule(await deps.revocationRules.all(), identity, attempt.issuedAt) === null;
}

function replaceAttempt(deps: Deps, run: Run, identity: Identity, attempt: CertificateAttempt | null) {
  const abandoned = identity.certificate.attempt;
  return {
    identity: { ...identity, certificate: { ...identity.certificate, attempt } },
    changes:
      abandoned === null
        ? []
        : [
            eventChange(deps, run, 'certificate-attempt-abandoned', identity, {
              serialNumber: abandoned.serialNumber,
              authorityId: abandoned.authorityId,
            }),
          ],
  };
}

/**
 * Steps 2 to 7: serial number, key, signature, record, merge.
 * @returns null when the attempt cannot be finished any more; it is abandoned then
 */
async function finishAttempt(
  deps: Deps,
  run: Run,
  identity: WithAttempt,
  authority: ActiveAuthority,
): Promise<{ record: CertificateRecord; version: string } | null> {
  const { attempt } = identity.certificate;
  const owner = { identity: { cluster: identity.cluster, name: identity.name }, instance: VAULT_INSTANCE };
  await deps.identities.claimSerial(attempt.serialNumber, owner);
  const { certificates: vault } = await vaultsOf(deps, identity.cluster);

  let record = await deps.identities.certificate(identity, attempt.serialNumber);
  if (record === null) {
    const request = await requestKey(deps, vault, identity);
    if (await keepKey(deps, identity, attempt, request)) {
      await deps.identities.claimKey(spkiHash(request.spki), owner);
      const signed = await signLeaf(deps, authority, identity, VAULT_INSTANCE, attempt, request);
      record = await recordCertificate(deps, identity, attempt, signed);
    } else {
      // Bound to another key, which the vault has no more or which another worker has just merged. A certificate is
      // recorded before it is merged, so that the record tells which.
      record = await deps.identities.certificate(identity, attempt.serialNumber);
    }
    if (record === null) return abandon(deps, run, identity, attempt);
  }
  // A rule is in no transaction of the identity's: one that was made while this was recorded keeps it out of the vault.
  if (findRule(await deps.revocationRules.all(), identity, record.issuedAt) !== null) {
    return abandon(deps, run, identity, attempt);
  }
  const merged = await mergeOnce(vault, identity, record, authority);
  return merged === null ? abandon(deps, run, identity, attempt) : { record, version: merged.version };
}

/** Step 3: the request that the vault made with the new key. */
async function requestKey(
  deps: Deps,
  vault: CredentialVault,
  identity: Identity,
): Promise<CertificateRequest & { requestId: string }> {
  const spec: KeySpec = {
    keyType: deps.policy.clientKeyType,
    exportable: true,
    reuseKey: false,
    commonName: identity.name,
    organization: identity.cluster,
    dnsNames: identity.dnsNames,
    usage: isServer(identity.clientType) ? 'server' : 'client',
  };
  const isWantedKey = (csr: Uint8Array) =>
    keyTypeOf(parseCertificateRequestDer(csr).publicKey) === spec.keyType;
  const pending = await requestFromVault(vault, vaultCertificateName(identity), spec, ({ csr }) =>
    isWantedKey(csr),
  );
  const request = parseCertificateRequestDer(pending.csr);
  checkCertificateRequest(request, { identityName: identity.name });
  return { ...request, requestId: pending.requestId };
}

/** The key's kind in the words of the settings. */
function keyTypeOf(key: PublicKeyInfo): string {
  return key.type === 'RSA' ? `RSA-${key.bits}` : `EC-${key.curve.replace('-', '')}`;
}

/** Step 4: binds the attempt's serial number to this key. False when it is bound to another one already. */
async function keepKey(
  deps: Deps,
  identity: Identity,
  attempt: CertificateAttempt,
  request: CertificateRequest & { requestId: string },
): Promise<boolean> {
  const hash = spkiHash(request.spki);
  const after = await updateIdentity(deps, identity, (current) => {
    const mine = current.certificate.attempt;
    if (mine === null || mine.id !== attempt.id || mine.spkiHash !== null) return null;
    const bound = { ...mine, spkiHash: hash, requestId: request.requestId };
    return { identity: { ...current, certificate: { ...current.certificate, attempt: bound } }, changes: [] };
  });
  return after.certificate.attempt?.id === attempt.id && after.certificate.attempt.spkiHash === hash;
}

/**
 * Step 7: finishes the waiting version, or finds that it was finished already.
 * @returns null when the vault has neither the certificate nor a request that is waiting for it
 */
async function mergeOnce(
  vault: CredentialVault,
  identity: Identity,
  record: CertificateRecord,
  authority: ActiveAuthority,
): Promise<VaultCertificate | null> {
  const name = vaultCertificateName(identity);
  // In this order: what another worker merges in between shows as the current version.
  const pending = await vault.pending(name);
  const current = await vault.current(name);
  if (isCertificate(current, record)) return current;
  if (pending.state !== 'waiting') return null;
  if (spkiHash(parseCertificateRequestDer(pending.csr).spki) !== record.spkiHash) return null;
  try {
    return await vault.merge(name, [record.der, authority.certificate]);
  } catch (error) {
    const after = await vault.current(name);
    if (isCertificate(after, record)) return after;
    throw error;
  }
}

function isCertificate(found: VaultCertificate | null, record: CertificateRecord): found is VaultCertificate {
  return found !== null && isSameBytes(found.der, record.der);
}

/** Gives up an attempt that nothing can finish, unless somebody else has moved on already. */
async function abandon(deps: Deps, run: Run, id: IdentityId, attempt: CertificateAttempt): Promise<null> {
  await updateIdentity(deps, id, (current) => {
    if (current.certificate.attempt?.id !== attempt.id) return null;
    run.log.write(
      'warn',
      `Gave up certificate ${attempt.serialNumber} of ${identityText(id)}: its key is gone, or it is revoked.`,
    );
    return replaceAttempt(deps, run, current, null);
  });
  return null;
}
