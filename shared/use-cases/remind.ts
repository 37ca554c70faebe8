import type { CredentialKind, Identity } from '../domain/identity.ts';
import { nextReminderAt } from '../domain/reminders.ts';
import type { PlanEntry } from '../domain/renewal-plan.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { type IdentityUpdate, moveDue, withCredential } from './update-identity.ts';

/**
 * Reminds of a credential that is due and that an agent or an operator must see to: one event, and the row moves on to
 * the next reminder, in one transaction, so that a scan that is killed or runs twice reminds once. No message is sent.
 * @param entry what the plan says of the credential: to request or to remind
 */
export function reminder(
  deps: Deps,
  run: Run,
  identity: Identity,
  kind: CredentialKind,
  entry: PlanEntry,
): IdentityUpdate {
  const due = moveDue(identity, kind, nextReminderAt(identity, kind, deps.clock.now()));
  const type = entry.action === 'request' ? 'agent-reminded' : 'rotation-reminded';
  const { head } = identity.certificate;
  return {
    identity: withCredential(due.identity, kind, { queuedAt: null }),
    changes: [
      ...due.changes,
      eventChange(deps, run, type, identity, {
        reason: entry.reason,
        details: { kind },
        ...(kind === 'certificate' && head !== null ? { serialNumber: head.serialNumber } : {}),
      }),
    ],
  };
}
