import type { ActiveAuthority } from '../domain/authority.ts';
import { EverleafError } from '../domain/errors.ts';
import type { CertificateRecord } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { isInForce, isPastRecovery } from '../domain/line-renewal.ts';
import { identityText } from '../domain/names.ts';
import { isCertificateRevoked } from '../domain/revocation.ts';
import { parseCertificate } from '../pki/certificate.ts';
import type { CertificateRequest } from '../pki/certificate-request.ts';
import { lineExtensions, renewCountOf } from '../pki/line-extensions.ts';
import { spkiHash } from '../pki/public-key.ts';
import type { IssuanceRecord } from '../ports/identity-store.ts';
import { readIssuingAuthority } from './authorities.ts';
import { claimKey } from './claim-key.ts';
import type { Deps, Run } from './deps.ts';
import { assertMayBegin } from './issuance-limit.ts';
import { headOf, signLeaf } from './issue-certificate.ts';
import { claimIssuance, issuanceInProgress, RACES } from './issue-once.ts';
import { lockForked } from './lock-line.ts';
import { type IssuedLogin, warningsOf } from './login-answer.ts';
import { tellOfOldCertificate } from './old-certificate.ts';
import { readStanding, type Standing, superseded } from './proven-caller.ts';
import { checkTiming, recordRenewal } from './record-renewal.ts';

type Issued = Pick<IssuedLogin, 'identity' | 'record'>;

/** A certificate that was shown with proof, and the request for the one after it. */
interface Renewal {
  readonly shown: CertificateRecord;
  readonly request: CertificateRequest;
  /** SHA-256 of the request's key. */
  readonly spkiHash: string;
  readonly bundleId: string | null;
}

/**
 * Issues the successor of a line's head, once per head and key. Whatever the record says is read again for the
 * transaction at the end, so that a revocation, a lock or the successor's first use in between wins.
 * @param shown the certificate that was proven; a superseded one only learns what became of its request, or locks the
 *   line when it asks for a key that nobody has seen
 */
export async function renewLine(
  deps: Deps,
  run: Run,
  shown: CertificateRecord,
  request: CertificateRequest,
  bundleId: string | null,
): Promise<IssuedLogin> {
  const renewal = { shown, request, spkiHash: spkiHash(request.spki), bundleId };
  for (let race = 0; race < RACES; race++) {
    const standing = await readStanding(deps, shown);
    const authority = await readIssuingAuthority(deps);
    const issued =
      (await findAnswered(deps, run, renewal, standing)) ??
      (await issue(deps, run, authority, renewal, standing));
    if (issued !== null) {
      const { identity, record } = issued;
      const head = headOf(record, renewCountOf(parseCertificate(record.der)), null);
      const warnings = warningsOf(deps, identity, request, record, authority);
      return { identity, record, head, instance: record.instance, vault: null, warnings };
    }
  }
  throw issuanceInProgress(shown.identity);
}

/**
 * What an equal request got before, as long as that certificate is in force.
 * @throws EverleafError Expired for a superseded certificate whose request was seen but has no answer any more; what
 *   `lockForked` throws for one with a request that was never seen, unless it ended too long ago to be worth a lock
 */
async function findAnswered(
  deps: Deps,
  run: Run,
  { shown, spkiHash }: Renewal,
  { identity, line, place }: Standing,
): Promise<Issued | null> {
  const seen = await deps.identities.issuance(shown.identity.cluster, shown.serialNumber, spkiHash);
  if (line !== null && seen !== null && (await isAnswer(deps, line.value, seen.value))) {
    const record = await deps.identities.certificate(shown.identity, seen.value.attempt.serialNumber);
    if (record !== null) return { identity: identity.value, record };
  }
  if (place !== 'superseded') return null;
  if (seen === null) {
    if (!isPastRecovery(shown, deps.clock.now(), deps.policy)) await lockForked(deps, run, shown, spkiHash);
    await tellOfOldCertificate(deps, run, shown);
  }
  throw superseded(identity.value);
}

/** A certificate that is revoked, or whose key is, helps nobody: another one is issued for the same request. */
async function isAnswer(
  deps: Pick<Deps, 'clock' | 'identities'>,
  line: Instance,
  { attempt, spkiHash, finishedAt }: IssuanceRecord,
): Promise<boolean> {
  if (finishedAt === null || !isInForce(line, attempt, deps.clock.now())) return false;
  const revocations = await deps.identities.revocations(line.identity);
  return !isCertificateRevoked(revocations, { serialNumber: attempt.serialNumber, spkiHash });
}

/** Signs for the head of the line. Null: somebody else was faster; look again. */
async function issue(
  deps: Deps,
  run: Run,
  authority: ActiveAuthority,
  renewal: Renewal,
  { identity, line, place }: Standing,
): Promise<Issued | null> {
  const { shown, request, spkiHash } = renewal;
  if (line === null || place !== 'head') return null;
  checkTiming(deps, identity.value, line.value);
  await assertMayBegin(deps, identity.value, shown.serialNumber, spkiHash);
  if ((await claimKey(deps, shown.identity, request, shown.instance)) !== shown.instance) {
    throw new EverleafError(
      'InvalidCertificateRequest',
      `The request is for a key of another instance of ${identityText(shown.identity)}. Make a new key.`,
      { details: { reason: 'key-of-another-instance' } },
    );
  }
  const { instance } = shown;
  const order = { authority, identity: identity.value, credential: shown.serialNumber, spkiHash, instance };
  const issuance = await claimIssuance(deps, order, async (found) => {
    const current = await deps.identities.instance(shown.identity, instance);
    return current !== null && (await isAnswer(deps, current.value, found));
  });
  // Answered in between: the next look finds it.
  if (issuance.value.finishedAt !== null) return null;
  const { attempt } = issuance.value;
  await deps.identities.claimSerial(attempt.serialNumber, { identity: shown.identity, instance });
  const renewCount = line.value.head.renewCount + 1;
  const extra = lineExtensions(renewCount, await originalOf(deps, line.value, shown));
  const record = await signLeaf(deps, authority, identity.value, instance, attempt, request, extra);
  return recordRenewal(deps, run, { shown, record, renewCount, issuance, bundleId: renewal.bundleId });
}

/** The first certificate of the line, DER. */
async function originalOf(deps: Deps, line: Instance, shown: CertificateRecord): Promise<Uint8Array> {
  const serialNumber = line.originalSerialNumber ?? line.head.serialNumber;
  if (serialNumber === shown.serialNumber) return shown.der;
  const original = await deps.identities.certificate(line.identity, serialNumber);
  if (original === null) {
    throw new EverleafError('Internal', `Certificate ${serialNumber} is missing, the first of its line.`);
  }
  return original.der;
}
