import type { CredentialKind, Identity } from './identity.ts';
import { planCredential } from './renewal-plan.ts';

/** When a credential ends and when it should be replaced, for whoever watches. */
export interface CredentialEnds {
  readonly kind: CredentialKind;
  readonly notAfter: Date;
  readonly renewAt: Date;
  /** Whether its window has closed and nobody has replaced it, although somebody should have without being told. */
  readonly isOverdue: boolean;
}

/** The credentials of an identity: those that it has, and none of one that is revoked or deleted. */
export function credentialEnds(identity: Identity, now: Date): readonly CredentialEnds[] {
  if (identity.revokedAt !== null || identity.deletedAt !== null) return [];
  const { certificate, token } = identity;
  const ends = (kind: CredentialKind, notAfter: Date, renewAt: Date): CredentialEnds => {
    const { windowClosesAt, reason } = planCredential(identity, kind, now);
    // A token that an operator rotates by hand is in the status, where the operator looks before doing so.
    const isOverdue = windowClosesAt !== null && windowClosesAt < now && reason !== 'AutoRotateOff';
    return { kind, notAfter, renewAt, isOverdue };
  };
  const { head } = certificate;
  return [
    ...(head === null ? [] : [ends('certificate', head.notAfter, head.renewAfter)]),
    ends('token', token.expiresAt, token.rotateAfter),
  ];
}
