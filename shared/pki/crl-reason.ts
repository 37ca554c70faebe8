import type { RevocationReason } from '../domain/revocation.ts';

/** Why a certificate stands on a revocation list: an agent's reasons, and an authority's for its cross certificate. */
export type CrlReason = RevocationReason | 'cACompromise';

/** CRLReason, RFC 5280 section 5.3.1. */
const CODES: Readonly<Record<CrlReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  cACompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
};

const REASONS: ReadonlyMap<number, CrlReason> = new Map(
  Object.entries(CODES).map(([reason, code]) => [code, reason as CrlReason]),
);

/** The code to be written, or null for `unspecified`, which section 5.3.1 wants left out. */
export function reasonCodeOf(reason: CrlReason): number | null {
  return CODES[reason] || null;
}

/** What a code that was written means, or null: for a hold, which Everleaf never places, and for 0. */
export function reasonOfCode(code: number): CrlReason | null {
  return code === 0 ? null : (REASONS.get(code) ?? null);
}
