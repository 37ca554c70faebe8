import type { CertificateHead, Identity } from '../domain/identity.ts';
import {
  conditionOf,
  heldByLines,
  heldByRecord,
  type IdentityCondition,
  needsLines,
} from '../domain/identity-status.ts';
import { type Lines, sumUpLines } from '../domain/lines.ts';
import { operatorRotates } from '../domain/next-step.ts';
import { NO_RECOVERY, offlineDays, type Recovery, recoveryOf } from '../domain/offline-budget.ts';
import type { RevocationRule } from '../domain/revocation.ts';
import { identityUnderRules, isRuledOut, ruledCertificates } from '../domain/ruled-identity.ts';
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
  readonly bundle: {
    readonly acknowledged: string | null;
    /** Whether what was acknowledged is the present bundle. */
    readonly current: boolean;
    /** What its vault holds; null for an agent, which is given the bundle with every answer. */
    readonly delivered: string | null;
  };
}

/** Which bundle is the present one, and which one the client vault of a cluster holds. */
export interface Bundles {
  readonly currentId: string;
  deliveredTo(cluster: string): string | null;
}

/**
 * Judges an identity by its record alone wherever that is enough: no other row is read for a healthy one.
 * @param rules all revocation rules: what one of them revokes helps nobody
 */
export async function judgeIdentity(
  deps: Pick<Deps, 'identities' | 'policy'>,
  identity: Identity,
  rules: readonly RevocationRule[],
  now: Date,
): Promise<JudgedIdentity> {
  const ruled = identityUnderRules(identity, rules, now);
  const held = needsLines(ruled, now)
    ? heldByLines(await readLines(deps, ruled, rules, now), deps.policy, now)
    : heldByRecord(ruled);
  const condition = conditionOf(ruled, held, now);
  if (condition.nextStep.action !== 'operator-rotate' || !isRuledOut(identity, 'token', rules)) {
    return { identity, ...condition };
  }
  const text = 'A revocation rule revokes its token: it needs a new token from an operator.';
  return { identity, state: condition.state, nextStep: operatorRotates(identity, text) };
}

async function readLines(
  deps: Pick<Deps, 'identities'>,
  identity: Identity,
  rules: readonly RevocationRule[],
  now: Date,
): Promise<Lines> {
  const [instances, revocations] = await Promise.all([
    deps.identities.instances(identity),
    deps.identities.revocations(identity),
  ]);
  const ruled = ruledCertificates(identity, instances, rules);
  return sumUpLines(identity, instances, [...revocations, ...ruled], now);
}

/** Reads what else is shown of an identity: its lines, what they leave it to stay off, and the bundle it knows. */
export async function readDetails(
  deps: Pick<Deps, 'identities' | 'policy'>,
  judged: JudgedIdentity,
  rules: readonly RevocationRule[],
  bundles: Bundles,
  now: Date,
): Promise<IdentityStatus> {
  const identity = identityUnderRules(judged.identity, rules, now);
  const lines = await readLines(deps, identity, rules, now);
  const { acknowledgedBundleId: acknowledged } = identity;
  const common = {
    ...judged,
    instances: lines.count,
    bundle: {
      acknowledged,
      current: acknowledged === bundles.currentId,
      delivered: identity.delivery === 'vault' ? bundles.deliveredTo(identity.cluster) : null,
    },
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
