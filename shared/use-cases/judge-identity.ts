import type { CertificateHead, Identity } from '../domain/identity.ts';
import {
  conditionOf,
  heldByLines,
  heldByRecord,
  type IdentityCondition,
  needsLines,
} from '../domain/identity-status.ts';
import { type Lines, sumUpLines } from '../domain/lines.ts';
import { NO_RECOVERY, offlineDays, type Recovery, recoveryOf } from '../domain/offline-budget.ts';
import type { TrustBundle } from './authorities.ts';
import type { Deps } from './deps.ts';

/** An identity and its state: what a walk over the whole fleet needs to know. */
export interface JudgedIdentity extends IdentityCondition {
  readonly identity: Identity;
}

/** Everything that an operator is shown of one identity. */
export interface IdentityStatus extends JudgedIdentity {
  /** Null while there is none. */
  readonly certificate: (CertificateHead & { readonly provenAt: Date | null }) | null;
  readonly offlineDays: number;
  readonly recovery: Recovery;
  readonly instances: { readonly live: number; readonly locked: number };
  readonly bundle: { readonly acknowledged: string | null; readonly current: boolean };
}

/** Judges an identity by its record alone wherever that is enough: no other row is read for a healthy one. */
export async function judgeIdentity(
  deps: Pick<Deps, 'identities' | 'policy'>,
  identity: Identity,
  now: Date,
): Promise<JudgedIdentity> {
  if (!needsLines(identity, now)) return { identity, ...conditionOf(identity, heldByRecord(identity), now) };
  const lines = await readLines(deps, identity, now);
  return { identity, ...conditionOf(identity, heldByLines(lines, deps.policy, now), now) };
}

async function readLines(deps: Pick<Deps, 'identities'>, identity: Identity, now: Date): Promise<Lines> {
  const [instances, revocations] = await Promise.all([
    deps.identities.instances(identity),
    deps.identities.revocations(identity),
  ]);
  return sumUpLines(identity, instances, revocations, now);
}

/** Reads what else is shown of an identity: its lines, what they leave it to stay off, and the bundle it knows. */
export async function readDetails(
  deps: Pick<Deps, 'identities' | 'policy'>,
  judged: JudgedIdentity,
  bundle: TrustBundle,
  now: Date,
): Promise<IdentityStatus> {
  const { identity } = judged;
  const lines = await readLines(deps, identity, now);
  const { acknowledgedBundleId: acknowledged } = identity;
  const common = {
    ...judged,
    instances: lines.count,
    bundle: { acknowledged, current: acknowledged === bundle.id },
  };
  if (identity.delivery === 'vault') {
    const { head } = identity.certificate;
    return {
      ...common,
      certificate: head === null ? null : { ...head, provenAt: null },
      recovery: NO_RECOVERY,
      offlineDays: offlineDays(identity, head, NO_RECOVERY, now),
    };
  }
  const { shown } = lines;
  if (shown === null) {
    const days = offlineDays(identity, null, NO_RECOVERY, now);
    return { ...common, certificate: null, recovery: NO_RECOVERY, offlineDays: days };
  }
  const recovery = recoveryOf(shown, deps.policy, now);
  return {
    ...common,
    certificate: { ...shown.head, provenAt: shown.provenAt },
    recovery,
    offlineDays: offlineDays(identity, shown.lockedAt === null ? shown.head : null, recovery, now),
  };
}
