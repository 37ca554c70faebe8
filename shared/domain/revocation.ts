import { EverleafError } from './errors.ts';
import type { CertificateRecord, ClientType, Identity } from './identity.ts';
import { type IdentityId, isClusterName, isDnsName } from './names.ts';

/** Why a certificate is revoked: the reasons of RFC 5280, 5.3.1, that can be true of an agent's certificate. */
export const REVOCATION_REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
  'privilegeWithdrawn',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** What revocation leaves in the record of an identity or an instance. */
export interface RevocationMark {
  readonly revokedAt: Date | null;
  readonly revocationReason: RevocationReason | null;
}

/**
 * The mark after one more revocation: the first moment stays, and so does the first reason, unless it turns out later
 * that the key was compromised. Null when nothing changes.
 */
export function markRevoked(
  mark: RevocationMark,
  reason: RevocationReason,
  now: Date,
): { revokedAt: Date; revocationReason: RevocationReason } | null {
  if (mark.revokedAt === null) return { revokedAt: now, revocationReason: reason };
  const isWorse = reason === 'keyCompromise' && mark.revocationReason !== 'keyCompromise';
  return isWorse ? { revokedAt: mark.revokedAt, revocationReason: reason } : null;
}

/** One certificate that counts for nothing any more, while others of its line may go on. */
export interface CertificateRevocation {
  readonly v: 1;
  readonly identity: IdentityId;
  readonly instance: string;
  readonly serialNumber: string;
  /** SHA-256 of its SubjectPublicKeyInfo: a compromised key gets no certificate again. */
  readonly spkiHash: string;
  readonly authorityId: string;
  readonly notAfter: Date;
  readonly revokedAt: Date;
  readonly reason: RevocationReason;
}

/** The row of a certificate's revocation; what was revoked already keeps its moment, as `markRevoked` says. */
export function revokeCertificateRecord(
  certificate: CertificateRecord,
  earlier: CertificateRevocation | null,
  reason: RevocationReason,
  now: Date,
): CertificateRevocation | null {
  const mark = { revokedAt: earlier?.revokedAt ?? null, revocationReason: earlier?.reason ?? null };
  const marked = markRevoked(mark, reason, now);
  if (marked === null) return null;
  const { identity, instance, serialNumber, spkiHash, authorityId, notAfter } = certificate;
  return {
    v: 1,
    ...{ identity, instance, serialNumber, spkiHash, authorityId, notAfter },
    revokedAt: marked.revokedAt,
    reason: marked.revocationReason,
  };
}

/** Whether a key may never be certified again: a certificate for it was revoked because others have the key. */
export function isKeyCompromised(revocations: readonly CertificateRevocation[], spkiHash: string): boolean {
  return revocations.some((one) => one.reason === 'keyCompromise' && one.spkiHash === spkiHash);
}

/**
 * Whether a certificate counts for nothing: it was revoked itself, or another one for its key was because others have
 * that key, which makes its proof worth nothing too.
 */
export function isCertificateRevoked(
  revocations: readonly CertificateRevocation[],
  { serialNumber, spkiHash }: Pick<CertificateRecord, 'serialNumber' | 'spkiHash'>,
): boolean {
  return (
    revocations.some((one) => one.serialNumber === serialNumber) || isKeyCompromised(revocations, spkiHash)
  );
}

/**
 * Revokes whatever matches all of its criteria, what there is and what is still to come. A criterion that is null
 * matches everything; at least one is not.
 */
export interface RevocationRule {
  readonly v: 1;
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly clientType: ClientType | null;
  readonly cluster: string | null;
  /** A DNS name that the identity may carry; with `.` before it, every name below it. Lower case. */
  readonly dnsName: string | null;
  /** Certificates and tokens issued before this moment; without it, all of them. */
  readonly issuedBefore: Date | null;
  readonly reason: RevocationReason;
  readonly createdAt: Date;
  /** The operator's id. */
  readonly createdBy: string;
}

export type RevocationCriteria = Pick<RevocationRule, 'clientType' | 'cluster' | 'dnsName' | 'issuedBefore'>;

/**
 * Criteria in one spelling, with DNS names in lower case and `.` for `*.`.
 * @throws EverleafError InvalidInput without any criterion, or for names that nobody can have
 */
export function checkCriteria(criteria: RevocationCriteria): RevocationCriteria {
  const { clientType, cluster, issuedBefore } = criteria;
  const dnsName = criteria.dnsName?.toLowerCase().replace(/^\*(?=\.)/, '') ?? null;
  if (clientType === null && cluster === null && dnsName === null && issuedBefore === null) {
    throw invalid('', 'A rule without any criterion would revoke everything. Give at least one.');
  }
  if (cluster !== null && !isClusterName(cluster)) {
    throw invalid('/cluster', 'No cluster can have this name.');
  }
  if (dnsName !== null && !isDnsName(dnsName.replace(/^\./, ''))) {
    throw invalid(
      '/dnsName',
      'A DNS name is a host name, with "." or "*." before it for every name below it.',
    );
  }
  return { clientType, cluster, dnsName, issuedBefore };
}

function invalid(pointer: string, message: string): EverleafError {
  return new EverleafError('InvalidInput', message, { details: { pointer } });
}

/**
 * The first rule that revokes a credential.
 * @param identity whose it is
 * @param issuedAt when it was issued; `now` asks about one that is about to be
 * @param dnsNames names that the credential itself carries, beside those of its identity today
 */
export function findRule(
  rules: readonly RevocationRule[],
  identity: Pick<Identity, 'cluster' | 'clientType' | 'dnsNames'>,
  issuedAt: Date,
  dnsNames: readonly string[] = [],
): RevocationRule | null {
  const names = [...identity.dnsNames, ...dnsNames];
  const isMatch = ({ clientType, cluster, dnsName, issuedBefore }: RevocationRule) =>
    (clientType === null || clientType === identity.clientType) &&
    (cluster === null || cluster === identity.cluster) &&
    (dnsName === null || names.some((name) => matchesDnsName(dnsName, name))) &&
    (issuedBefore === null || issuedAt < issuedBefore);
  return rules.find(isMatch) ?? null;
}

/** Names compare without case (RFC 4343). */
function matchesDnsName(pattern: string, name: string): boolean {
  const lower = name.toLowerCase();
  return pattern.startsWith('.') ? lower.endsWith(pattern) : lower === pattern;
}
