import type { Action } from '../domain/actions.ts';
import { FLEET_CHAIN } from '../domain/audit.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { addMs, MINUTE_MS } from '../domain/instants.ts';
import type { Deps, Run } from './deps.ts';
import { hashedName, orLog, sourceWindow } from './source-window.ts';

/**
 * Counts a refusal on an operator's route in the audit log: one event for all of a minute that have the same source,
 * caller, action and reason. It is written at the first and at each doubling, so that whoever calls without end costs
 * next to nothing, and what is written is never less than half. A refusal is a refusal also when this cannot be written.
 * @param run whose actor is the caller as far as it is known: anonymous where the credential itself was refused
 * @param reason code of the refusal
 */
export async function countDeniedAccess(
  deps: Pick<Deps, 'clock' | 'digest' | 'sources' | 'identities'>,
  run: Run,
  action: Action,
  reason: ErrorCode,
): Promise<void> {
  const { source, windowStart } = sourceWindow(deps, run);
  const { kind, id } = run.actor;
  const what = JSON.stringify([source, kind, id, action, reason]);
  const count = deps.sources.countTurnedAway(`access-denied|${what}`, windowStart);
  if (count === 0) return;
  await orLog(run, 'write down a refused operator', () =>
    deps.identities.countEvent({
      v: 1,
      id: hashedName(deps, `everleaf/access-denied|${windowStart.toISOString()}|${what}`),
      // The last moment of the minute, until which the count grows: see SEAL_AFTER_MS.
      time: addMs(windowStart, MINUTE_MS - 1),
      type: 'access-denied',
      outcome: 'denied',
      reason,
      count,
      actor: { kind, id, source: run.actor.source === null ? null : source },
      target: { cluster: null, name: null, serialNumber: null, authorityId: null },
      correlationId: run.correlationId,
      details: { action },
      identity: { cluster: FLEET_CHAIN, name: 'access' },
    }),
  );
}
