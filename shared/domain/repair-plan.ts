import type { CredentialKind, CredentialsGroup, Identity } from './identity.ts';
import type { OperationItem, OperationTask } from './operation.ts';
import { type PlanEntry, planCredential } from './renewal-plan.ts';

/** What an operator's repair is about. */
export interface RepairOptions {
  /** `cloud` and `kubelet`: -fixCloudCredentials and -fixKubeletCredentials of Update-AksHciClusterCertificates. */
  readonly credentials: readonly CredentialsGroup[];
  /** Everything, and not only what is in its renewal window or past it. An update is always forced. */
  readonly force: boolean;
}

const KINDS = ['certificate', 'token'] as const;

/** One line of a repair's plan, and the item of an operation that carries it out. */
export interface PlannedRepair {
  readonly entry: PlanEntry;
  readonly item: OperationItem;
}

/**
 * Decides what a repair does to each credential of an identity. The dry run shows these entries and the operation is
 * made of these items. It asks the scan's own rules what would be done if an operator wanted it now:
 * - without `force` whatever is in its window or late is renewed, its own moment in the window notwithstanding;
 * - a vault-delivered token is rotated though autoRotate is off, for it is an operator who asks;
 * - an agent is asked for its next certificate, and gets a new token only with `force`.
 * @returns nothing for an identity of another group, or a deleted one
 */
export function planRepair(identity: Identity, options: RepairOptions, now: Date): readonly PlannedRepair[] {
  if (identity.deletedAt !== null || !options.credentials.includes(identity.credentials)) return [];
  return KINDS.map((kind) => {
    const entry = repairEntry(identity, kind, options.force, now);
    const task = taskOf(entry);
    return {
      entry,
      item: {
        name: identity.name,
        credential: kind,
        incarnation: identity.incarnation,
        generation: entry.generation,
        task,
        reason: task === 'none' ? entry.reason : null,
      },
    };
  });
}

function repairEntry(identity: Identity, kind: CredentialKind, force: boolean, now: Date): PlanEntry {
  const plain = planCredential(identity, kind, now);
  const isOpen = plain.windowOpensAt === null || plain.windowOpensAt <= now;
  const isWanted = force || isOpen || plain.reason !== 'NotDue' || identity[kind].failure !== null;
  if (!isWanted || identity.revokedAt !== null) return plain;
  const forced = planCredential(asForced(identity, kind, now), kind, now);
  if (identity.delivery === 'agent' && kind === 'token') return agentToken(plain, forced, force);
  // What the scan would do by itself is shown with the scan's reason.
  if (!force && plain.action === forced.action) return plain;
  return force ? forced : { ...forced, reason: forced.reason === 'Forced' ? 'InWindow' : forced.reason };
}

/** An agent rotates its token itself; with force an operator does, and the agent logs in with what it is given. */
function agentToken(plain: PlanEntry, forced: PlanEntry, force: boolean): PlanEntry {
  if (!force) return plain.reason === 'NotDue' ? { ...forced, dueAt: plain.dueAt } : plain;
  const text = forced.text.replace(/^request/, 'rotate').replace(/: .*$/, ': the agent gets a login file');
  return { ...forced, action: 'rotate', reason: 'Forced', text };
}

/** The identity as it is once the operator's wish is written down: a failure's next try is not waited for. */
function asForced(identity: Identity, kind: CredentialKind, now: Date): Identity {
  return kind === 'certificate'
    ? { ...identity, certificate: { ...identity.certificate, forcedAt: now, failure: null } }
    : { ...identity, token: { ...identity.token, forcedAt: now, failure: null } };
}

function taskOf({ action }: PlanEntry): OperationTask {
  switch (action) {
    case 'renew':
    case 'rotate':
      return action;
    case 'request':
    case 'remind':
      return 'request';
    default:
      return 'none';
  }
}
