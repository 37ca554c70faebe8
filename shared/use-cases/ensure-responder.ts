import { FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import type { FinishedAuthority } from '../domain/authority.ts';
import { isSameBytes } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import { DAY_MS, later, SECOND_MS, toInstant } from '../domain/instants.ts';
import { vaultResponderName } from '../domain/names.ts';
import { BACKDATE_MS } from '../domain/policy.ts';
import {
  isResponderAttemptUsable,
  needsResponder,
  RESPONDER_VALIDITY_DAYS,
  type Responder,
  type ResponderAttempt,
  renewResponderAt,
  responderKeyType,
  responderValidity,
} from '../domain/responder.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { issuerOf } from '../pki/certificate-issuer.ts';
import { parseCertificateRequestDer } from '../pki/certificate-request.ts';
import { lintResponder } from '../pki/lint-responder.ts';
import { readPublicKey, spkiHash } from '../pki/public-key.ts';
import { buildResponderTbs, type ResponderInput } from '../pki/responder-certificate.ts';
import { signatureAlgorithmFor } from '../pki/signature.ts';
import type { KeySpec, VaultCertificate } from '../ports/credential-vault.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { newSerialNumber } from './issue-certificate.ts';
import { requestFromVault } from './request-from-vault.ts';
import { signCertificate } from './sign-certificate.ts';
import { updateResponder } from './update-responder.ts';

/** Tries of an attempt whose key in the vault somebody else has thrown away. */
const TRIES = 3;

/**
 * The OCSP responder of an authority, a new one when it is due. Every one has a key of its own, born in the authority vault
 * and not exportable; the one before it goes on until its end, for whoever has read the record already.
 *
 * Safe to interrupt after every step and to repeat, also by several at once: serial number, dates and the key's hash are
 * written down before anything is signed, the certificate before the vault has it, and a call that finds them goes on with them.
 * @returns whether it made a new one
 */
export async function ensureResponder(
  deps: Deps,
  run: Run,
  authority: FinishedAuthority,
): Promise<{ readonly isNew: boolean }> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const planned = await planAttempt(deps, authority);
    if (planned === null) return { isNew: false };
    await deps.identities.claimSerial(planned.serialNumber, {
      identity: { cluster: 'authority', name: authority.id },
      instance: 'responder',
    });
    const made = await makeCertificate(deps, authority, planned);
    if (made === null) continue;
    await finish(deps, run, authority, made.attempt, made.merged);
    return { isNew: true };
  }
  throw new EverleafError(
    'Conflict',
    `The keys for the OCSP responder of authority ${authority.id} are thrown away in the vault before they are signed for.`,
    { retryable: true },
  );
}

/** The attempt to go on with, written down; null when no responder is due. */
async function planAttempt(deps: Deps, authority: FinishedAuthority): Promise<ResponderAttempt | null> {
  const responder = await updateResponder(deps, authority.id, (current) => {
    const now = deps.clock.now();
    const dueAt = needsResponder(authority, now) ? renewResponderAt(authority, current, now) : null;
    const isDue = dueAt !== null && dueAt <= now;
    if (!isDue) return current.attempt === null ? current : { ...current, attempt: null };
    if (current.attempt !== null && isResponderAttemptUsable(current.attempt, now)) return current;
    return { ...current, attempt: newAttempt(deps, authority) };
  });
  return responder.attempt;
}

function newAttempt(deps: Deps, authority: FinishedAuthority): ResponderAttempt {
  const validity = responderValidity(authority, deps.clock.now());
  return {
    ...validity,
    // A clock that is behind the one that made the authority must not date it before that.
    notBefore: later(validity.notBefore, authority.notBefore),
    serialNumber: newSerialNumber(deps),
    spkiHash: null,
    certificate: null,
  };
}

type Signed = ResponderAttempt & { readonly certificate: Uint8Array };

/** The certificate in the vault, with its key; null when the attempt's key is gone and a new attempt stands in its place. */
async function makeCertificate(
  deps: Deps,
  authority: FinishedAuthority,
  planned: ResponderAttempt,
): Promise<{ attempt: Signed; merged: VaultCertificate } | null> {
  const name = vaultResponderName(authority.id);
  const known = await mergedVersion(deps, name, planned);
  if (known !== null) return { attempt: { ...planned, certificate: known.der }, merged: known };
  const { csr } = await requestFromVault(
    deps.authorityVault,
    name,
    keySpec(authority),
    (request) => planned.spkiHash === null || planned.spkiHash === hashOf(request.csr),
  );
  const attempt = await keepKey(deps, authority, planned, hashOf(csr));
  if (attempt === null) return null;
  const signed = await ensureSigned(deps, authority, attempt, parseCertificateRequestDer(csr).spki);
  if (signed === null) return null;
  try {
    return { attempt: signed, merged: await deps.authorityVault.merge(name, [signed.certificate]) };
  } catch (error) {
    const after = await mergedVersion(deps, name, signed);
    if (after === null) throw error;
    return { attempt: signed, merged: after };
  }
}

/** The vault's newest version, when it is what the attempt has signed. */
async function mergedVersion(
  deps: Deps,
  name: string,
  { certificate }: ResponderAttempt,
): Promise<VaultCertificate | null> {
  if (certificate === null) return null;
  const current = await deps.authorityVault.current(name);
  return current !== null && isSameBytes(current.der, certificate) ? current : null;
}

function keySpec(authority: FinishedAuthority): KeySpec {
  return {
    keyType: responderKeyType(authority),
    exportable: false,
    reuseKey: false,
    commonName: commonNameOf(authority),
    organization: null,
    dnsNames: [],
    usage: 'signature',
  };
}

function commonNameOf({ id }: FinishedAuthority): string {
  return `Everleaf OCSP ${id}`;
}

function hashOf(csr: Uint8Array): string {
  return spkiHash(parseCertificateRequestDer(csr).spki);
}

/** Binds the attempt's serial number to this key. Null when it was bound to one that is gone: then it begins anew. */
async function keepKey(
  deps: Deps,
  authority: FinishedAuthority,
  planned: ResponderAttempt,
  hash: string,
): Promise<ResponderAttempt | null> {
  const { attempt } = await updateAttempt(deps, authority.id, planned, (current) => {
    if (current.spkiHash === null) return { ...current, spkiHash: hash };
    return current.spkiHash === hash ? current : newAttempt(deps, authority);
  });
  return attempt?.serialNumber === planned.serialNumber && attempt.spkiHash === hash ? attempt : null;
}

/** Null when another run has gone on without this attempt. */
async function ensureSigned(
  deps: Deps,
  authority: FinishedAuthority,
  attempt: ResponderAttempt,
  spki: Uint8Array,
): Promise<Signed | null> {
  const certificate = attempt.certificate ?? (await sign(deps, authority, attempt, spki));
  const after = await updateAttempt(deps, authority.id, attempt, (current) =>
    current.certificate === null ? { ...current, certificate } : current,
  );
  const kept = after.attempt;
  if (kept?.serialNumber !== attempt.serialNumber || kept.certificate === null) return null;
  return { ...kept, certificate: kept.certificate };
}

function sign(
  deps: Deps,
  authority: FinishedAuthority,
  { serialNumber, notBefore, notAfter }: ResponderAttempt,
  spki: Uint8Array,
): Promise<Uint8Array> {
  const issuer = parseCertificate(authority.certificate);
  const signatureAlgorithm = signatureAlgorithmFor(readPublicKey(issuer.spki));
  const input: ResponderInput = {
    ...{ serialNumber, notBefore, notAfter, spki, signatureAlgorithm },
    issuer: issuerOf(issuer),
    subject: { commonName: commonNameOf(authority) },
  };
  const tbs = buildResponderTbs(input);
  const maximumValiditySeconds = (RESPONDER_VALIDITY_DAYS * DAY_MS + BACKDATE_MS) / SECOND_MS;
  lintResponder(tbs, input, { authority: issuer, maximumValiditySeconds });
  return signCertificate(deps, authority.keyId, signatureAlgorithm, tbs, issuer.spki);
}

async function finish(
  deps: Deps,
  run: Run,
  { id }: FinishedAuthority,
  attempt: Signed,
  { keyId }: VaultCertificate,
): Promise<void> {
  const { serialNumber, issuedAt, notBefore, notAfter, certificate } = attempt;
  // Before the row: after a kill in between it may stand there twice, and is never missing.
  await deps.identities.commit(FLEET_CHAIN, [
    eventChange(deps, run, 'responder-renewed', FLEET, {
      authorityId: id,
      serialNumber,
      details: { notAfter: toInstant(notAfter) },
    }),
  ]);
  const now = deps.clock.now();
  const made = { serialNumber, issuedAt, notBefore, notAfter, keyId, certificate };
  await updateResponder(deps, id, (current) =>
    current.attempt?.serialNumber === serialNumber
      ? {
          ...current,
          attempt: null,
          certificates: [made, ...current.certificates.filter((one) => now <= one.notAfter)],
        }
      : current,
  );
  run.log.write('info', `Authority ${id} has an OCSP responder until ${toInstant(notAfter)}.`);
}

/** Changes the attempt as long as it is the one that is meant. */
function updateAttempt(
  deps: Deps,
  authorityId: string,
  { serialNumber }: ResponderAttempt,
  change: (attempt: ResponderAttempt) => ResponderAttempt,
): Promise<Responder> {
  return updateResponder(deps, authorityId, (current) => {
    if (current.attempt?.serialNumber !== serialNumber) return current;
    const attempt = change(current.attempt);
    return attempt === current.attempt ? current : { ...current, attempt };
  });
}
