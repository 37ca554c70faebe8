import type { CertificateHead, Identity } from './identity.ts';
import { isTokenUsedUp, tokenEnd } from './identity.ts';
import type { Instance } from './instance.ts';
import { addMs, DAY_MS, later, wholeSecond } from './instants.ts';
import type { Policy } from './policy.ts';

/** What an agent can do with a certificate that has ended. */
export interface Recovery {
  /** How many times in a row it may still be renewed after its end; 0 when that is over, or was never possible. */
  readonly left: number;
  /** The last second in which it may; null when none is left. */
  readonly until: Date | null;
}

export type RecoveryPolicy = Pick<Policy, 'recoveryWindowDays' | 'recoveryBudget'>;

export const NO_RECOVERY: Recovery = { left: 0, until: null };

/**
 * What is left of a line's recovery: each renewal after the end counts, one in time refills the budget, and the
 * window after the end is the same each time.
 */
export function recoveryOf(
  line: Pick<Instance, 'head' | 'lockedAt' | 'revokedAt' | 'recoveriesUsed'>,
  policy: RecoveryPolicy,
  now: Date,
): Recovery {
  const left = policy.recoveryBudget - line.recoveriesUsed;
  const until = addMs(line.head.notAfter, policy.recoveryWindowDays * DAY_MS);
  const isOver = left <= 0 || until < wholeSecond(now) || line.lockedAt !== null || line.revokedAt !== null;
  return isOver ? NO_RECOVERY : { left, until };
}

/**
 * Whole days from now that a client may stay off and still come back by itself: with its token, with its certificate,
 * or with what recovery leaves of that.
 * @param head null for a client without a certificate that it could use, such as one whose line is locked
 */
export function offlineDays(
  identity: Identity,
  head: CertificateHead | null,
  recovery: Recovery,
  now: Date,
): number {
  if (identity.revokedAt !== null) return 0;
  const certificateEnd = recovery.until ?? head?.notAfter ?? now;
  const end = later(certificateEnd, heldTokenEnd(identity) ?? now);
  return Math.max(0, Math.floor((end.getTime() - now.getTime()) / DAY_MS));
}

/** Whether an operator has a token to hand over that the agent has not logged in with yet. */
export function isHandedOver({ delivery, token }: Identity): boolean {
  const { generation, handoverGeneration, usedGeneration } = token;
  return delivery === 'agent' && handoverGeneration === generation && usedGeneration < generation;
}

/** When the token ends that the client has for certain; null when it has none that works. */
function heldTokenEnd(identity: Identity): Date | null {
  if (isTokenUsedUp(identity.token)) return null;
  if (!isHandedOver(identity)) return tokenEnd(identity);
  const { generation, floorGeneration, predecessorExpiresAt } = identity.token;
  return floorGeneration < generation ? predecessorExpiresAt : null;
}
