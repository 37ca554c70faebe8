import type { Authority } from './authority.ts';

/** A cross certificate that must not lead to a revoked authority any more. */
export interface RevokedCrossCertificate {
  /** The authority that signed it, and on whose revocation list it belongs. */
  readonly issuerId: string;
  readonly serialNumber: string;
  readonly revokedAt: Date;
  readonly notAfter: Date;
}

/**
 * The certificates that others signed for authorities that are revoked: whoever trusts the signer would accept by way of
 * them what a stolen key signs.
 */
export function revokedCrossCertificates(all: readonly Authority[]): readonly RevokedCrossCertificate[] {
  return all.flatMap(({ state, revokedAt, crossCertificates }) =>
    state !== 'Revoked' || revokedAt === null
      ? []
      : crossCertificates
          .filter(({ certificate }) => certificate !== null)
          .map(({ issuerId, serialNumber, notAfter }) => ({ issuerId, serialNumber, revokedAt, notAfter })),
  );
}
