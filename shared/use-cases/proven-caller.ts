import {
  isEnded,
  isNewsToSee,
  type LinePlace,
  lineAfterProof,
  placeInLine,
} from '../domain/certificate-use.ts';
import { isSameBytes } from '../domain/encoding.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import { type CertificateRecord, type Identity, VAULT_INSTANCE } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { toInstant, wholeSecond } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import type { ParsedCertificate } from '../pki/certificate.ts';
import type { Change, Stored } from '../ports/identity-store.ts';
import { checkLine } from './claim-key.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { findRevocation } from './find-revocation.ts';
import { invalidProof } from './invalid-proof.ts';
import { RACES } from './issue-once.ts';

/** Who has proven to hold the key of a certificate that Everleaf issued. */
export interface ProvenCaller {
  readonly identity: Identity;
  /** The line of the certificate; null for the vault's own. */
  readonly instance: Instance | null;
  readonly record: CertificateRecord;
}

/** Whom a route lets in. */
export interface Admission {
  /**
   * A renewal looks at expired and superseded certificates itself: one may still be recovered, the other asks once
   * more for an answer that was lost, or gives a copied key away.
   */
  readonly isRenewal: boolean;
  /** A proof for an operator's route: it opens one request. What agents ask for may be asked again when an answer was lost. */
  readonly isSingleUse?: boolean;
}

/** What was signed, by whose certificate, whichever way the proof came. */
interface Proof {
  readonly certificate: ParsedCertificate;
  verify(): boolean;
}

/**
 * Lets in whoever signed a proof. The signature comes before any look-up, so that nobody without a key makes the record
 * work.
 * @throws EverleafError InvalidProof, the same for a wrong signature and for a certificate that is not ours; what
 *   `admitCaller` throws
 */
export async function admitProven(
  deps: Deps,
  run: Run,
  proof: Proof,
  admission: Admission,
): Promise<ProvenCaller> {
  const record = proof.verify() ? await findRecorded(deps, proof.certificate) : null;
  if (record === null) {
    run.log.write('warn', 'Refused a proof.', { source: run.actor.source });
    throw invalidProof();
  }
  return admitCaller(deps, run, record, admission);
}

/** Our record of a certificate, found by its serial number and only when every byte is the same; null for any other. */
export async function findRecorded(
  deps: Pick<Deps, 'identities'>,
  certificate: ParsedCertificate,
): Promise<CertificateRecord | null> {
  const owner = await deps.identities.serialOwner(certificate.serialNumber);
  if (owner === null) return null;
  const record = await deps.identities.certificate(owner.identity, certificate.serialNumber);
  return record !== null && isSameBytes(record.der, certificate.der) ? record : null;
}

/** The run as it goes on once its caller is known. */
export function runAs(run: Run, identity: Identity): Run {
  return { ...run, actor: { kind: 'agent', id: identityText(identity), source: run.actor.source } };
}

/**
 * Lets in whoever has proven a certificate's key, when the certificate is in force, and records that it was used: the
 * first use of a line's successor makes it the head. Of the vault's own line every certificate counts until its end,
 * because its client picks up the newest one late.
 * @throws EverleafError Revoked, Locked; Expired with reason `certificate-expired` or `certificate-superseded`
 */
async function admitCaller(
  deps: Deps,
  run: Run,
  record: CertificateRecord,
  { isRenewal }: Admission,
): Promise<ProvenCaller> {
  for (let race = 1; ; race++) {
    const { identity, line, place } = await readStanding(deps, record);
    const instance = line?.value ?? null;
    if (!isRenewal) checkInForce(deps, identity.value, record, place);
    if (place === 'superseded') return { identity: identity.value, instance, record };
    const use = useOf(deps, run, identity, line, record, place);
    if (use.changes.length === 0) return use.caller;
    try {
      await deps.identities.commit(record.identity.cluster, use.changes);
      return use.caller;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || race === RACES) throw error;
    }
  }
}

/** What the record says at this moment of a certificate's identity and line. */
export interface Standing {
  readonly identity: Stored<Identity>;
  /** Null for the vault's own line, of which every certificate counts as the head. */
  readonly line: Stored<Instance> | null;
  readonly place: LinePlace;
}

/**
 * Reads afresh who a certificate belongs to. Whoever acts on a proof asks this once more for the transaction that it
 * writes, because a revocation or a lock in between must win.
 * @throws EverleafError Revoked, Locked
 */
export async function readStanding(
  deps: Pick<Deps, 'identities' | 'revocationRules'>,
  record: CertificateRecord,
): Promise<Standing> {
  const isVaults = record.instance === VAULT_INSTANCE;
  const [identity, line] = await Promise.all([
    deps.identities.identity(record.identity),
    isVaults ? null : deps.identities.instance(record.identity, record.instance),
  ]);
  // A certificate is recorded together with its line: one without is as good as unknown.
  if (identity === null || (line === null && !isVaults)) throw invalidProof();
  const finding = await findRevocation(deps, identity.value, line?.value ?? null, record);
  if (finding !== null) throw revoked(identity.value, finding);
  checkLine(line?.value ?? null);
  return { identity, line, place: line === null ? 'head' : placeInLine(line.value, record) };
}

/**
 * Refuses a certificate that cannot be used any more, but for a renewal.
 * @throws EverleafError Expired with reason `certificate-expired` or `certificate-superseded`
 */
export function checkInForce(
  deps: Pick<Deps, 'clock'>,
  identity: Identity,
  record: CertificateRecord,
  place: LinePlace,
): void {
  if (isEnded(record, deps.clock.now())) {
    throw new EverleafError(
      'Expired',
      `The certificate of ${identityText(identity)} ended at ${toInstant(record.notAfter)}. Renew it, or log in again ` +
        'with the token.',
      { details: { reason: 'certificate-expired' } },
    );
  }
  if (place === 'superseded') throw superseded(identity);
}

/** The refusal of a certificate that a newer one of its line has replaced. */
export function superseded(identity: Identity): EverleafError {
  return new EverleafError(
    'Expired',
    `A newer certificate of ${identityText(identity)} has replaced this one. Use the newer one, or log in again with ` +
      'the token.',
    { details: { reason: 'certificate-superseded' } },
  );
}

function revoked(identity: Identity, reason: string): EverleafError {
  return new EverleafError('Revoked', `The certificate of ${identityText(identity)} is revoked.`, {
    details: { reason },
  });
}

/** What the use of a certificate changes; no changes when the record says it already. */
function useOf(
  deps: Deps,
  run: Run,
  identity: Stored<Identity>,
  line: Stored<Instance> | null,
  record: CertificateRecord,
  place: 'head' | 'successor',
): { caller: ProvenCaller; changes: Change[] } {
  const now = wholeSecond(deps.clock.now());
  const used = line === null ? null : lineAfterProof(line.value, place, now);
  const isNews = line === null ? isNewsToSee(identity.value.lastSeenAt, now) : used !== null;
  const value = isNews ? { ...identity.value, lastSeenAt: now } : identity.value;
  const caller = { identity: value, instance: used ?? line?.value ?? null, record };
  if (!isNews) return { caller, changes: [] };
  const changes: Change[] = [{ op: 'replace', kind: 'identity', value, etag: identity.etag }];
  if (line !== null && used !== null) {
    changes.push({ op: 'replace', kind: 'instance', value: used, etag: line.etag });
    if (place === 'successor') {
      changes.push(
        eventChange(deps, runAs(run, value), 'successor-proven', value, {
          serialNumber: record.serialNumber,
          authorityId: record.authorityId,
          details: { instance: used.id, replaces: line.value.head.serialNumber },
        }),
      );
    }
  }
  return { caller, changes };
}
