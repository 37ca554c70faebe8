import type { CredentialKind, CredentialsGroup, Identity } from './identity.ts';
import { toInstant } from './instants.ts';
import type { NextStep } from './next-step.ts';
import { isHandedOver } from './offline-budget.ts';

export const OPERATION_KINDS = ['create', 'delete', 'renew', 'update', 'taint'] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

/**
 * What an operation does to one credential. `deliver`: the first one into the vault. `renew`: another certificate in the
 * vault. `rotate`: another token. `request`: its agent is asked. `revoke`: it ends with its identity. `none`: nothing.
 */
export const OPERATION_TASKS = ['deliver', 'renew', 'rotate', 'request', 'revoke', 'none'] as const;
export type OperationTask = (typeof OPERATION_TASKS)[number];

/** Long work that an operator asked for: what was asked and for what. How far it is, the identities' records tell. */
export interface Operation {
  readonly v: 1;
  /** 32 hexadecimal digits, of which the first two tell the partition of the cluster. */
  readonly id: string;
  readonly kind: OperationKind;
  /** `FLEET_CHAIN` for an operation that is about identities of all clusters. */
  readonly cluster: string;
  readonly credentials: readonly CredentialsGroup[];
  readonly force: boolean;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  /** When somebody first saw that nothing of it is left to do but what agents must do themselves. */
  readonly finishedAt: Date | null;
}

/** One credential as the operation found it. */
export interface OperationItem {
  /** Of an operation about all clusters; left out, it is the operation's own. */
  readonly cluster?: string | undefined;
  readonly name: string;
  readonly credential: CredentialKind;
  readonly incarnation: number;
  /** The credential's generation at that moment: a later one means that the item is done. */
  readonly generation: number;
  readonly task: OperationTask;
  /** Why nothing is done; null when something is. */
  readonly reason: string | null;
}

export const ITEM_STATES = ['queued', 'running', 'done', 'waiting', 'failed', 'skipped'] as const;
export type ItemState = (typeof ITEM_STATES)[number];

/** How an item stands now. */
export interface ItemProgress {
  readonly state: ItemState;
  readonly at: Date | null;
  readonly code: string | null;
  readonly nextStep: NextStep | null;
}

export const progress = (state: ItemState, more: Partial<ItemProgress> = {}): ItemProgress => ({
  state,
  at: null,
  code: null,
  nextStep: null,
  ...more,
});

/**
 * How an item of an operation stands, judged by the record alone: whoever did the work, and however often, nothing that
 * an operation keeps of its own can drift from the truth.
 * @param identity the item's identity as it is now; null when there is none
 * @param isRuledOut whether a rule revokes whatever the identity would get now
 */
export function itemProgress(
  operation: Pick<Operation, 'requestedAt'>,
  item: OperationItem,
  identity: Identity | null,
  isRuledOut = false,
): ItemProgress {
  if (item.task === 'revoke') return revocationProgress(item, identity);
  if (item.task === 'none') return progress('skipped', { code: item.reason });
  if (identity === null || identity.incarnation !== item.incarnation || identity.deletedAt !== null) {
    return progress('skipped', { code: 'Deleted' });
  }
  if (isDone(item, identity)) return progress('done', { at: identity[item.credential].lastSuccessAt });
  if (identity.revokedAt !== null || isRuledOut) {
    return progress('skipped', { at: identity.revokedAt, code: 'Revoked' });
  }
  return identity.delivery === 'agent'
    ? agentProgress(operation, item, identity)
    : vaultProgress(operation, item, identity);
}

/** The record ends an identity at once; what its vault holds of it may be disabled later. */
function revocationProgress(item: OperationItem, identity: Identity | null): ItemProgress {
  if (identity === null) return progress('skipped', { code: 'Deleted' });
  // Made again since, which nothing but a deleted one can be.
  if (identity.incarnation > item.incarnation) return progress('done');
  if (identity.deletedAt === null) return progress('queued');
  const { failure } = identity.certificate;
  if (failure === null) return progress('done', { at: identity.deletedAt });
  const text =
    `It is revoked, and its versions in the vault could not be disabled (${failure.code}); the daily reconcile tries ` +
    'again by itself.';
  const nextStep = { action: 'wait', text, route: null } as const;
  return progress('failed', { at: failure.at, code: failure.code, nextStep });
}

function isDone(item: OperationItem, identity: Identity): boolean {
  const { delivery, certificate, token } = identity;
  if (item.task === 'deliver') {
    return item.credential === 'certificate' ? certificate.head !== null : token.vaultVersion !== null;
  }
  if (item.credential === 'certificate') return certificate.generation > item.generation;
  if (token.generation <= item.generation) return false;
  // A token serves nobody before its client has it: from the vault, from the login file that it logs in with, or because
  // it has rotated by itself, with proof of its key.
  return delivery === 'vault'
    ? token.vaultVersion !== null
    : token.usedGeneration > item.generation || !isHandedOver(identity);
}

/** How what the vault is to make stands. */
export function vaultProgress(
  { requestedAt }: Pick<Operation, 'requestedAt'>,
  item: OperationItem,
  identity: Identity,
): ItemProgress {
  const { failure, queuedAt, generation } = identity[item.credential];
  if (failure !== null && failure.at >= requestedAt) {
    const text =
      `Try ${failure.attempts} failed with ${failure.code}; it is tried again by itself at ` +
      `${toInstant(failure.retryAt)}. If ${failure.code} needs a person, mend it before then.`;
    const nextStep = { action: 'wait', text, route: null } as const;
    return progress('failed', { at: failure.at, code: failure.code, nextStep });
  }
  const isBegun =
    queuedAt !== null ||
    generation > item.generation ||
    (item.credential === 'certificate' && identity.certificate.attempt !== null);
  return isBegun ? progress('running', { at: queuedAt }) : progress('queued');
}

function agentProgress(
  operation: Pick<Operation, 'requestedAt'>,
  item: OperationItem,
  identity: Identity,
): ItemProgress {
  const { forcedAt } = identity.certificate;
  const isAsked =
    item.credential === 'token'
      ? item.task === 'request' || identity.token.generation > item.generation
      : forcedAt !== null && forcedAt >= operation.requestedAt;
  if (!isAsked) return progress('queued');
  return progress('waiting', { nextStep: agentStep(item, identity) });
}

/** What an agent that an item waits for is to do. */
export function agentStep(item: OperationItem, identity: Identity): NextStep {
  const path = `/api/clusters/${identity.cluster}/identities/${identity.name}`;
  if (item.credential === 'certificate') {
    return identity.certificate.head === null
      ? {
          action: 'agent-login',
          text: 'It has never logged in: give the agent its login file.',
          route: '/api/login',
        }
      : {
          action: 'agent-renew',
          text: 'The agent holds the key: it renews at its next call, or when it is started.',
          route: '/api/certificates/renew',
        };
  }
  return item.task === 'rotate'
    ? {
        action: 'agent-login',
        text: 'Its new token is made: give the agent the login file, or let it rotate by itself.',
        route: '/api/login',
      }
    : {
        action: 'operator-rotate',
        text: 'Its token is due: the agent rotates it with proof of its key, or an operator does it for it.',
        route: `${path}/rotate`,
      };
}

export interface OperationCounts {
  readonly total: number;
  readonly done: number;
  readonly waiting: number;
  readonly failed: number;
  readonly skipped: number;
}

export type OperationState = 'queued' | 'running' | 'succeeded' | 'partial' | 'failed' | 'cancelled';

export function countItems(states: readonly ItemState[]): OperationCounts {
  const count = (wanted: ItemState) => states.filter((state) => state === wanted).length;
  return {
    total: states.length,
    done: count('done'),
    waiting: count('waiting'),
    failed: count('failed'),
    skipped: count('skipped'),
  };
}

/** Whether nothing is left that Everleaf itself would do next: what waits for an agent, or for a retry, ends it too. */
export function isSettled({ total, done, waiting, failed, skipped }: OperationCounts): boolean {
  return done + waiting + failed + skipped === total;
}

/**
 * An operation's state. It may still get better when it is finished: what waited or failed can succeed later, and is
 * then shown as done.
 * @param overtaken how many items were skipped although there was something to do: their identities ended before that
 */
export function operationState(
  operation: Pick<Operation, 'finishedAt' | 'kind'>,
  counts: OperationCounts,
  overtaken = 0,
): OperationState {
  const { total, done, waiting, failed, skipped } = counts;
  if (operation.finishedAt === null)
    return done + waiting + failed === 0 && total > skipped ? 'queued' : 'running';
  if (failed === 0 && waiting === 0) return done === 0 && overtaken > 0 ? 'cancelled' : 'succeeded';
  // What a deletion failed at is the vault alone: everything is revoked.
  return done === 0 && waiting === 0 && operation.kind !== 'delete' ? 'failed' : 'partial';
}
