import type { CertificateHead, Identity } from './identity.ts';
import type { IdentityId } from './names.ts';
import type { RevocationReason } from './revocation.ts';

/** A certificate that was issued to replace the head, and whose key has not been proven yet. */
export interface Successor extends CertificateHead {
  /** SHA-256 of its SubjectPublicKeyInfo. */
  readonly spkiHash: string;
}

/**
 * A line of certificates that began with one login: a replica, or a node before and after it was re-imaged. It has a
 * head, which is in force, and at most one successor that nobody has used yet. The successor's first proof makes it
 * the head; until then the head may ask again, with the same key or another, because an answer can get lost.
 */
export interface Instance {
  readonly v: 1;
  readonly id: string;
  readonly identity: IdentityId;
  /** The identity's incarnation that it belongs to: a line of an earlier one is dead. */
  readonly incarnation: number;
  readonly startedAt: Date;
  /** SHA-256 of the head's SubjectPublicKeyInfo. */
  readonly spkiHash: string;
  readonly head: CertificateHead;
  /** When the key of the head was first proven; null while it was only handed out. */
  readonly provenAt: Date | null;
  readonly successor: Successor | null;
  /** Serial number of the first certificate of the line; null while the head is the first. */
  readonly originalSerialNumber: string | null;
  /** Set when a superseded certificate asked for another key: two hold this line, and a person must look. */
  readonly lockedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly revocationReason: RevocationReason | null;
  /** Renewals in a row that came after the certificate's end; back to 0 with one in time, or a login. */
  readonly recoveriesUsed: number;
  readonly lastSeenAt: Date | null;
  /** The trust bundle that this instance told last it holds. */
  readonly bundleId: string | null;
}

/** The line as it stands after a login: what was asked for before is forgotten, whose key it was has been shown. */
export function lineAfterLogin(
  line: Instance | null,
  identity: Pick<Identity, 'cluster' | 'name' | 'incarnation'>,
  id: string,
  issued: { readonly head: CertificateHead; readonly spkiHash: string },
): Instance {
  return {
    v: 1,
    id,
    identity: { cluster: identity.cluster, name: identity.name },
    incarnation: identity.incarnation,
    startedAt: line?.startedAt ?? issued.head.issuedAt,
    spkiHash: issued.spkiHash,
    head: issued.head,
    provenAt: null,
    successor: null,
    originalSerialNumber: null,
    lockedAt: null,
    revokedAt: null,
    revocationReason: null,
    recoveriesUsed: 0,
    lastSeenAt: issued.head.issuedAt,
    bundleId: line?.bundleId ?? null,
  };
}

/**
 * The identity after one of its instances was locked (1) or ceased to be (-1): by being unlocked, or by being revoked
 * while it was locked. Belongs into the transaction that writes the instance.
 */
export function withLock(identity: Identity, change: 1 | -1): Identity {
  return { ...identity, lockedInstances: Math.max(0, identity.lockedInstances + change) };
}

/**
 * The identity after one of its agents was given a certificate. A vault-delivered identity's own certificate is the
 * vault's, whatever else its clients log in for.
 */
export function withAgentCertificate(identity: Identity, head: CertificateHead, now: Date): Identity {
  if (identity.delivery === 'vault') return identity;
  const { certificate } = identity;
  return {
    ...identity,
    certificate: {
      ...certificate,
      generation: certificate.generation + 1,
      head,
      lastSuccessAt: now,
      forcedAt: null,
    },
  };
}
