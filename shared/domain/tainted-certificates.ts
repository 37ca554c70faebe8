import { isEnded } from './certificate-use.ts';
import type { CertificateHead, Identity } from './identity.ts';
import type { Instance } from './instance.ts';

/** The certificates in force of an identity that one authority has signed. */
export interface SignedByOne {
  /** Whether the vault's own is one of them: that one Everleaf replaces by itself. */
  readonly isVaults: boolean;
  /** How many its agents hold: their keys are theirs, so they must ask for the next ones. */
  readonly held: number;
}

/**
 * What of an identity still needs an authority: the certificate in its vault, and of each of its lines the head and the
 * successor that nobody has used yet. Either may be what the client shows, for an answer can get lost. A line that is locked
 * is let in nowhere, and what is revoked or has ended needs nobody.
 * @param lines of the identity that count for anything, without what is revoked of them (`sumUpLines`)
 */
export function signedBy(
  identity: Identity,
  lines: readonly Instance[],
  authorityId: string,
  now: Date,
): SignedByOne {
  if (identity.revokedAt !== null || identity.deletedAt !== null) return { isVaults: false, held: 0 };
  const counts = (head: CertificateHead | null): boolean =>
    head !== null && head.authorityId === authorityId && !isEnded(head, now);
  const held = lines
    .filter(({ lockedAt }) => lockedAt === null)
    .flatMap(({ head, successor }) => [head, successor])
    .filter(counts).length;
  return { isVaults: identity.delivery === 'vault' && counts(identity.certificate.head), held };
}

export function isAnySigned({ isVaults, held }: SignedByOne): boolean {
  return isVaults || held > 0;
}
