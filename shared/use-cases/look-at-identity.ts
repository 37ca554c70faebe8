import type { CredentialKind, Identity } from '../domain/identity.ts';
import { type IdentityId, identityText } from '../domain/names.ts';
import { isVaultSettled } from '../domain/reconciliation.ts';
import type { VaultHint } from '../domain/vault-hint.ts';
import type { DueRow } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';
import type { HintOutcome } from './heed-hint.ts';
import { isFirstLook, isOfVault } from './hint-window.ts';
import { readDeletedClusters, reconcileEnd } from './reconcile-end.ts';
import { reconcileIdentity } from './reconcile-identity.ts';
import { takeUp } from './renew-due.ts';
import { takeFromBudget } from './vault-budget.ts';
import { vaultsOf } from './vaults-of.ts';

/**
 * Looks at one credential of an identity.
 *
 * Near its end or beyond: what the scan would do with it, now. The record coalesces: whoever takes a credential up moves its
 * row in the due index, and the next hint finds nothing due. A renewal is sent only while the vaults' budget of this period
 * (VAULT_KEYS_PER_MINUTE) lasts, which scan, operations and hints share; else the next scan does it.
 *
 * A new version: one that the record has in force is Everleaf's own, which one read tells. Any other has record and vault
 * compared as `reconcile` does, which mends and writes an event; what that makes due is taken up as above. A token's secret
 * Everleaf cannot read in the client vault, so there is nothing to compare.
 */
export async function lookAtIdentity(
  deps: Deps,
  run: Run,
  id: IdentityId,
  kind: CredentialKind,
  hint: VaultHint,
): Promise<HintOutcome> {
  const stored = await deps.identities.identity(id);
  if (stored === null || !isOfVault(hint.vaultOrigin, (await vaultsOf(deps, id.cluster)).url))
    return 'dropped';
  const identity = stored.value;
  if (hint.kind === 'new-version') {
    if (kind === 'token' || !isForeign(identity, hint.version)) return 'nothing';
  } else {
    const row = await dueRowOf(deps, identity, kind);
    if (row !== null) return takeDue(deps, run, row);
    // Nothing will ever bring it up: that is for reconcile to see.
    if (identity.deletedAt !== null || identity.revokedAt !== null) return 'nothing';
  }
  if (!(await isFirstLook(deps, run, identityText(id).toLowerCase()))) return 'too-soon';
  const ended = await reconcileEnd(deps, run, identity, await readDeletedClusters(deps));
  if (ended !== null) return 'looked';
  await reconcileIdentity(deps, run, identity);
  const row = await dueRowOf(deps, await current(deps, identity), kind);
  const outcome = row === null ? 'nothing' : await takeDue(deps, run, row);
  return outcome === 'nothing' ? 'looked' : outcome;
}

/**
 * Whether a version may be one that Everleaf did not make. While it makes one nothing can be said: whoever finishes that
 * looks at the vault anyway.
 */
function isForeign(identity: Identity, version: string): boolean {
  const { certificate, delivery, deletedAt } = identity;
  if (deletedAt !== null) return delivery === 'vault';
  return isVaultSettled(identity) && certificate.head?.vaultVersion !== version;
}

async function current(deps: Deps, identity: Identity): Promise<Identity> {
  return (await deps.identities.identity(identity))?.value ?? identity;
}

async function dueRowOf(deps: Deps, identity: Identity, kind: CredentialKind): Promise<DueRow | null> {
  const key = identity[kind].dueKey;
  return key === null ? null : deps.identities.dueRow(identity.cluster, key);
}

async function takeDue(deps: Deps, run: Run, row: DueRow): Promise<HintOutcome> {
  if (row.dueAt > deps.clock.now()) return 'nothing';
  if (!row.isReminder && (await takeFromBudget(deps, run, 1)) === 0) return 'left-to-the-scan';
  return takeUp(deps, run, row);
}
