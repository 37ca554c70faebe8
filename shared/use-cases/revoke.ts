import { EverleafError } from '../domain/errors.ts';
import { type Identity, VAULT_INSTANCE } from '../domain/identity.ts';
import { withLock } from '../domain/instance.ts';
import { toInstant, wholeSecond } from '../domain/instants.ts';
import { type IdentityId, identityText } from '../domain/names.ts';
import {
  type CertificateRevocation,
  markRevoked,
  type RevocationMark,
  type RevocationReason,
  revokeCertificateRecord,
} from '../domain/revocation.ts';
import type { Change } from '../ports/identity-store.ts';
import { announceLists, noteForLists } from './announce-lists.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { withHeadLeft } from './head-left.ts';
import { assertLive } from './live-identity.ts';
import {
  type IdentityUpdate,
  moveDue,
  updatePatiently,
  wantNext,
  withCredential,
} from './update-identity.ts';

/** What is revoked, since when and why: the same answer however often it is revoked. */
export interface Revocation {
  readonly identity: IdentityId;
  readonly instance: string | null;
  readonly serialNumber: string | null;
  readonly revokedAt: Date;
  readonly reason: RevocationReason;
}

/**
 * Revokes what is named of an identity: one of its lines, one of its certificates, or, with neither, all of it.
 * @param invalidityDate since when the keys are known or believed to be in other hands (RFC 5280, 5.3.2); it goes into the
 *   revocation lists, and the earliest that was ever said stays there
 * @throws EverleafError NotFound; InvalidInput for an invalidity date that is still to come
 */
export async function revoke(
  deps: Deps,
  run: Run,
  id: IdentityId,
  what: { readonly instance: string | null; readonly serialNumber: string | null },
  reason: RevocationReason,
  invalidityDate: Date | null = null,
): Promise<Revocation> {
  const since = invalidityDate === null ? null : wholeSecond(invalidityDate);
  if (since !== null && since > deps.clock.now()) {
    const details = { pointer: '/invalidityDate' };
    throw new EverleafError('InvalidInput', 'invalidityDate lies in the future.', { details });
  }
  const { instance, serialNumber } = what;
  if (instance !== null) return revokeInstance(deps, run, id, instance, reason, since);
  if (serialNumber !== null) return revokeCertificate(deps, run, id, serialNumber, reason, since);
  return revokeIdentity(deps, run, id, reason, since);
}

/**
 * Revokes an identity for good: every certificate and token of it counts for nothing from now on, and nothing is renewed
 * any more. Said again it changes nothing, unless it turns out that the key was compromised, which may be said of a deleted
 * identity as well.
 * @throws EverleafError NotFound
 */
export async function revokeIdentity(
  deps: Deps,
  run: Run,
  id: IdentityId,
  reason: RevocationReason,
  invalidityDate: Date | null = null,
): Promise<Revocation> {
  const identity = await updatePatiently(deps, id, async (current) => {
    assertRevocable(current, reason);
    const update = withRevocation(current, reason, wholeSecond(deps.clock.now()));
    if (update === null && invalidityDate === null) return null;
    const compromised = reason === 'keyCompromise' ? await vaultKeyChanges(deps, current) : [];
    const details = invalidityDetails(invalidityDate);
    const event = eventChange(deps, run, 'identity-revoked', current, { reason, details });
    const note = noteForLists(deps, {
      ...{ identity: current, instance: null, serialNumber: null, invalidityDate },
    });
    return {
      identity: update?.identity ?? current,
      changes: [...(update?.changes ?? []), ...compromised, event, note],
    };
  });
  await announceLists(deps, run);
  return revocationOf(identity, identity);
}

function invalidityDetails(invalidityDate: Date | null): Readonly<Record<string, string>> {
  return invalidityDate === null ? {} : { invalidityDate: toInstant(invalidityDate) };
}

/** The identity as revoked, with its rows taken out of the due index; null when it was revoked before. */
export function withRevocation(
  current: Identity,
  reason: RevocationReason,
  now: Date,
): IdentityUpdate | null {
  const mark = markRevoked(current, reason, now);
  if (mark === null) return null;
  const idle = { queuedAt: null, failure: null, forcedAt: null };
  const marked: Identity = { ...current, ...mark };
  const certificate = moveDue(withCredential(marked, 'certificate', idle), 'certificate', null);
  const token = moveDue(withCredential(certificate.identity, 'token', idle), 'token', null);
  return { identity: token.identity, changes: [...certificate.changes, ...token.changes] };
}

/** Rows of one transaction beside the identity's own: Azure Tables takes 100 changes in one. */
const ROWS = 90;

/**
 * Keys in the vault belong to no instance that would be marked: each is remembered by its certificate, also when a newer
 * one has replaced it, because its client may use it to its end. More than fit into the transaction are marked before it.
 */
async function vaultKeyChanges(deps: Deps, identity: Identity): Promise<readonly Change[]> {
  if (identity.delivery !== 'vault') return [];
  const now = wholeSecond(deps.clock.now());
  const [certificates, revocations] = await Promise.all([
    deps.identities.certificates(identity),
    deps.identities.revocations(identity),
  ]);
  const changes = certificates
    .filter(({ instance, notAfter }) => instance === VAULT_INSTANCE && notAfter >= now)
    .flatMap((certificate) => {
      const earlier = revocations.find((one) => one.serialNumber === certificate.serialNumber) ?? null;
      const value = revokeCertificateRecord(certificate, earlier, 'keyCompromise', now);
      return value === null ? [] : [{ op: 'put', kind: 'revocation', value } as const];
    });
  while (changes.length > ROWS) await deps.identities.commit(identity.cluster, changes.splice(0, ROWS));
  return changes;
}

/** That a key was compromised may turn out when its identity is gone, and must not be lost when it is made again. */
function assertRevocable(identity: Identity, reason: RevocationReason): void {
  if (reason !== 'keyCompromise') assertLive(identity);
}

/**
 * Revokes one line of an identity's certificates, and every key that was ever in it; the identity's other lines go on.
 * @throws EverleafError NotFound
 */
export async function revokeInstance(
  deps: Deps,
  run: Run,
  id: IdentityId,
  instance: string,
  reason: RevocationReason,
  invalidityDate: Date | null = null,
): Promise<Revocation> {
  const marks: RevocationMark[] = [];
  const after = await updatePatiently(deps, id, async (identity) => {
    assertRevocable(identity, reason);
    const stored = await deps.identities.instance(id, instance);
    if (stored === null) throw notFound(`instance ${instance}`, id);
    const mark = markRevoked(stored.value, reason, wholeSecond(deps.clock.now()));
    const value = { ...stored.value, ...mark };
    marks.push(value);
    if (mark === null && invalidityDate === null) return null;
    const isCounted = stored.value.lockedAt !== null && stored.value.revokedAt === null;
    const [instances, revocations] = await Promise.all([
      deps.identities.instances(id),
      deps.identities.revocations(id),
    ]);
    const lines = instances.map((line) => (line.id === instance ? value : line));
    const update = withHeadLeft(deps, isCounted ? withLock(identity, -1) : identity, lines, revocations);
    // The identity is written with it, so that a login or a renewal that runs just now looks again.
    return {
      identity: update.identity,
      changes: [
        ...update.changes,
        { op: 'replace', kind: 'instance', value, etag: stored.etag },
        eventChange(deps, run, 'instance-revoked', identity, {
          reason,
          serialNumber: value.head.serialNumber,
          details: { instance, ...invalidityDetails(invalidityDate) },
        }),
        noteForLists(deps, { identity, instance, serialNumber: null, invalidityDate }),
      ],
    };
  });
  await announceLists(deps, run);
  return revocationOf(after, marks.at(-1) ?? after, { instance });
}

/**
 * Revokes one certificate by its serial number. Others of its line go on; its key does not when it was compromised. The
 * vault's current certificate is replaced at once.
 * @throws EverleafError NotFound
 */
export async function revokeCertificate(
  deps: Deps,
  run: Run,
  id: IdentityId,
  serialNumber: string,
  reason: RevocationReason,
  invalidityDate: Date | null = null,
): Promise<Revocation> {
  const rows: CertificateRevocation[] = [];
  const after = await updatePatiently(deps, id, async (current) => {
    assertRevocable(current, reason);
    const { row, change, revocations } = await certificateRow(deps, current, serialNumber, reason);
    rows.push(row);
    if (change === null && invalidityDate === null) return null;
    const { identity, changes } =
      current.delivery === 'agent'
        ? withHeadLeft(deps, current, await deps.identities.instances(id), [...revocations, row])
        : replacedAtOnce(deps, current, serialNumber);
    const event = eventChange(deps, run, 'certificate-revoked', current, {
      reason,
      serialNumber,
      authorityId: row.authorityId,
      details: { instance: row.instance, ...invalidityDetails(invalidityDate) },
    });
    const note = noteForLists(deps, { identity: id, instance: null, serialNumber, invalidityDate });
    return { identity, changes: [...(change === null ? [] : [change]), ...changes, event, note] };
  });
  await announceLists(deps, run);
  const row = rows.at(-1);
  const mark = row === undefined ? after : { revokedAt: row.revokedAt, revocationReason: row.reason };
  return revocationOf(after, mark, { instance: row?.instance ?? VAULT_INSTANCE, serialNumber });
}

async function certificateRow(deps: Deps, id: Identity, serialNumber: string, reason: RevocationReason) {
  const [certificate, revocations] = await Promise.all([
    deps.identities.certificate(id, serialNumber),
    deps.identities.revocations(id),
  ]);
  if (certificate === null) throw notFound(`certificate ${serialNumber}`, id);
  const earlier = revocations.find((one) => one.serialNumber === serialNumber) ?? null;
  const value = revokeCertificateRecord(certificate, earlier, reason, wholeSecond(deps.clock.now()));
  const row = value ?? earlier;
  if (row === null)
    throw new EverleafError('Internal', 'A certificate is neither revoked nor to be revoked.');
  const change: Change | null = value === null ? null : { op: 'put', kind: 'revocation', value };
  return { row, change, revocations };
}

/** A client of the vault has nothing to go on with once the certificate there is revoked: the next one is due now. */
function replacedAtOnce(deps: Pick<Deps, 'clock'>, current: Identity, serialNumber: string): IdentityUpdate {
  const { head } = current.certificate;
  const isInForce = head?.serialNumber === serialNumber;
  if (!isInForce || current.revokedAt !== null) return { identity: current, changes: [] };
  return wantNext(current, 'certificate', wholeSecond(deps.clock.now()));
}

function revocationOf(
  { cluster, name }: IdentityId,
  { revokedAt, revocationReason }: RevocationMark,
  what: { readonly instance?: string; readonly serialNumber?: string } = {},
): Revocation {
  if (revokedAt === null) throw new EverleafError('Internal', 'What was revoked just now is not revoked.');
  return {
    identity: { cluster, name },
    instance: what.instance ?? null,
    serialNumber: what.serialNumber ?? null,
    revokedAt,
    reason: revocationReason ?? 'unspecified',
  };
}

function notFound(what: string, id: IdentityId): EverleafError {
  return new EverleafError('NotFound', `${identityText(id)} has no ${what}.`);
}
