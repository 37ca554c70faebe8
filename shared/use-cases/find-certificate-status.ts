import type { Authority } from '../domain/authority.ts';
import { endOfWorth } from '../domain/crl.ts';
import type { CertificateRecord, Identity } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { listRevocation } from '../domain/listed-revocation.ts';
import type { CrlReason } from '../pki/crl-reason.ts';
import type { OcspCertStatus } from '../pki/ocsp-response.ts';
import type { Deps } from './deps.ts';
import { findRuleOf } from './find-revocation.ts';

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
  deps: Pick<Deps, 'identities' | 'revocationRules' | 'ocsp' | 'crl'>,
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
  const mark = await findMark(deps, identity.value, line?.value ?? null, certificate);
  if (mark !== null) return { kind: 'revoked', ...mark };
  return authority.state === 'Revoked' ? ofAuthority(authority) : GOOD;
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
  return ofAuthority(subject);
}

function ofAuthority(authority: Authority): OcspCertStatus {
  const end = endOfWorth(authority);
  return end === null ? GOOD : { kind: 'revoked', revokedAt: end.revokedAt, reason: end.reason };
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

/** Since when a certificate counts for nothing, and why: just as the revocation list has it. Null while it counts. */
async function findMark(
  deps: Pick<Deps, 'identities' | 'revocationRules' | 'crl'>,
  identity: Identity,
  instance: Instance | null,
  certificate: CertificateRecord,
): Promise<{ readonly revokedAt: Date; readonly reason: CrlReason } | null> {
  const [revocations, rules, listed] = await Promise.all([
    deps.identities.revocations(identity),
    deps.revocationRules.all(),
    deps.crl.listed(identity),
  ]);
  const before = listed.find(({ serialNumber }) => serialNumber === certificate.serialNumber) ?? null;
  const matching = rules.filter((rule) => findRuleOf([rule], identity, certificate) !== null);
  const facts = { identity, instance, revocations, rules: matching, parts: [] };
  const mark = listRevocation(certificate, facts, before);
  return mark === null ? null : { revokedAt: mark.revokedAt, reason: mark.reason };
}
