import type { Authority } from '../domain/authority.ts';
import type { CertificateRecord, Identity } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import type { RevocationReason } from '../domain/revocation.ts';
import type { CrlReason } from '../pki/crl-reason.ts';
import type { OcspCertStatus } from '../pki/ocsp-response.ts';
import type { Deps } from './deps.ts';
import { findRevocation, findRuleOf } from './find-revocation.ts';

const GOOD: OcspCertStatus = { kind: 'good' };
/** The extended `revoked` of RFC 6960, 2.2, for what was never issued would need an extension that clients do not know. */
const UNKNOWN: OcspCertStatus = { kind: 'unknown' };

/**
 * What is true now of the certificate that an authority has issued under a serial number: good, revoked with the moment and
 * the reason, or unknown when it has issued none. A serial number that was decided and whose certificate is not on record
 * yet is unknown as well. A few point reads, whatever there is.
 * @param all every authority there is
 * @param authority the one that is asked about
 * @param serialNumber as ocsp-cert-id.ts writes it, which may be one that nobody can issue
 */
export async function findCertificateStatus(
  deps: Pick<Deps, 'identities' | 'revocationRules' | 'ocsp'>,
  all: readonly Authority[],
  authority: Authority,
  serialNumber: string,
): Promise<OcspCertStatus> {
  if (!/^(?:[0-9a-f]{2})+$/.test(serialNumber)) return UNKNOWN;
  const ownStatus = authorityStatus(all, authority, serialNumber);
  if (ownStatus !== null) return ownStatus;
  const owner = await deps.identities.serialOwner(serialNumber);
  if (owner === null) return UNKNOWN;
  const { identity: id, instance } = owner;
  if (id.cluster === 'authority') return responderStatus(deps, authority, serialNumber);
  const [certificate, identity, line] = await Promise.all([
    deps.identities.certificate(id, serialNumber),
    deps.identities.identity(id),
    deps.identities.instance(id, instance),
  ]);
  if (certificate === null || certificate.authorityId !== authority.id || identity === null) return UNKNOWN;
  const finding = await findRevocation(deps, identity.value, line?.value ?? null, certificate);
  if (finding === null) return authority.state === 'Revoked' ? revokedAuthority(authority) : GOOD;
  return { kind: 'revoked', ...(await revocationOf(deps, identity.value, line?.value ?? null, certificate)) };
}

/**
 * Of an authority's own certificate, and of those by which this authority vouches for others: they count for nothing once their
 * authority is revoked, or was given up before it ever signed.
 */
function authorityStatus(
  all: readonly Authority[],
  authority: Authority,
  serialNumber: string,
): OcspCertStatus | null {
  const isOwn = authority.issuers.length === 0 && authority.serialNumber === serialNumber;
  const subject = isOwn
    ? authority
    : all.find(({ crossCertificates }) =>
        crossCertificates.some(
          (one) =>
            one.issuerId === authority.id && one.serialNumber === serialNumber && one.certificate !== null,
        ),
      );
  if (subject === undefined) return null;
  if (subject.state === 'Revoked') return revokedAuthority(subject);
  const { state, activatedAt, retiredAt } = subject;
  return state === 'Retired' && activatedAt === null && retiredAt !== null
    ? { kind: 'revoked', revokedAt: retiredAt, reason: 'cessationOfOperation' }
    : GOOD;
}

function revokedAuthority({ revokedAt, taintedAt, notAfter }: Authority): OcspCertStatus {
  return { kind: 'revoked', revokedAt: revokedAt ?? taintedAt ?? notAfter, reason: 'cACompromise' };
}

/** RFC 6960, 4.2.2.2.1: nobody need ask about a responder; whoever does hears that it is in use. */
async function responderStatus(
  deps: Pick<Deps, 'ocsp'>,
  authority: Authority,
  serialNumber: string,
): Promise<OcspCertStatus> {
  const responder = await deps.ocsp.responder(authority.id);
  const isKnown = responder?.value.certificates.some((one) => one.serialNumber === serialNumber) ?? false;
  return isKnown ? GOOD : UNKNOWN;
}

interface Mark {
  readonly revokedAt: Date;
  readonly reason: CrlReason;
}

/**
 * Since when a certificate that is revoked counts for nothing, and why. Of several causes the first one counts, unless one of
 * them says that the key was compromised, as `markRevoked` has it.
 */
async function revocationOf(
  deps: Pick<Deps, 'identities' | 'revocationRules'>,
  identity: Identity,
  line: Instance | null,
  certificate: CertificateRecord,
): Promise<Mark> {
  const [revocations, rules] = await Promise.all([
    deps.identities.revocations(identity),
    deps.revocationRules.all(),
  ]);
  const matching = rules.filter((rule) => findRuleOf([rule], identity, certificate) !== null);
  const own = revocations.filter(
    ({ serialNumber, spkiHash, reason }) =>
      serialNumber === certificate.serialNumber ||
      (reason === 'keyCompromise' && spkiHash === certificate.spkiHash),
  );
  const incarnation = Math.min(certificate.incarnation, line?.incarnation ?? certificate.incarnation);
  const isOfToday = incarnation === identity.incarnation;
  const marks: Mark[] = [
    ...(isOfToday ? marksOf(identity) : []),
    ...(line === null ? [] : marksOf(line)),
    ...own.map(({ revokedAt, reason }) => ({ revokedAt, reason })),
    ...matching.map(({ createdAt, reason }) => ({ revokedAt: createdAt, reason })),
    // Of an identity that was deleted and made again: the deletion came before that.
    ...(isOfToday ? [] : [{ revokedAt: identity.createdAt, reason: 'cessationOfOperation' } as const]),
  ].sort((a, b) => a.revokedAt.getTime() - b.revokedAt.getTime());
  const [first = { revokedAt: certificate.issuedAt, reason: 'unspecified' }] = marks;
  const isCompromised = marks.some(({ reason }) => reason === 'keyCompromise');
  return isCompromised ? { ...first, reason: 'keyCompromise' } : first;
}

function marksOf(marked: {
  readonly revokedAt: Date | null;
  readonly revocationReason: RevocationReason | null;
}): Mark[] {
  const { revokedAt, revocationReason } = marked;
  return revokedAt === null ? [] : [{ revokedAt, reason: revocationReason ?? 'unspecified' }];
}
