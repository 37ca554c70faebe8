import type { Identity } from './identity.ts';
import {
  agentStep,
  type ItemProgress,
  type Operation,
  type OperationItem,
  progress,
  vaultProgress,
} from './operation.ts';
import type { SignedByOne } from './tainted-certificates.ts';

/**
 * How an identity's item of a taint stands. It is done when nothing in force is left that the tainted authority signed,
 * whoever saw to that.
 * @param identity as it is now; null when there is none
 * @param left what the tainted authority signed of it and is still in force
 */
export function taintProgress(
  operation: Pick<Operation, 'requestedAt'>,
  item: OperationItem,
  identity: Identity | null,
  left: SignedByOne,
): ItemProgress {
  if (identity === null || identity.incarnation !== item.incarnation || identity.deletedAt !== null) {
    return progress('skipped', { code: 'Deleted' });
  }
  if (identity.revokedAt !== null) return progress('skipped', { at: identity.revokedAt, code: 'Revoked' });
  if (left.isVaults) return vaultProgress(operation, item, identity);
  if (left.held === 0) return progress('done', { at: identity.certificate.lastSuccessAt });
  const { forcedAt } = identity.certificate;
  // Agents of a vault-delivered identity have no place in the record where they could be asked.
  const isAsked = identity.delivery === 'vault' || (forcedAt !== null && forcedAt >= operation.requestedAt);
  return isAsked ? progress('waiting', { nextStep: agentStep(item, identity) }) : progress('queued');
}
