import { type EventType, FLEET_CHAIN } from '../domain/audit.ts';
import { type ErrorDetails, isEverleafError } from '../domain/errors.ts';
import type { AccessChange } from '../ports/access-store.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';

/** How often a step is repeated when somebody else keeps changing the rules in between. */
const TRIES = 10;

/** A change that was decided on, and what the audit log says of it, in this order. */
export interface AccessStep {
  readonly change: AccessChange;
  readonly events: readonly AccessEvent[];
}

export interface AccessEvent {
  readonly type: EventType;
  readonly details: ErrorDetails;
}

/**
 * Reads the rules, decides, and writes in one transaction with the events; when the rules changed in between it decides
 * again on what they are now. What `decide` read therefore still holds when its change is made.
 * @param decide reads what it needs; called once per try
 * @throws EverleafError whatever `decide` throws; Conflict when every try lost its race
 */
export async function changeAccess(
  deps: Pick<Deps, 'access' | 'clock' | 'random'>,
  run: Run,
  decide: () => Promise<AccessStep>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    // Before everything else: the version must not be younger than what is decided on.
    const version = await deps.access.version();
    const { change, events } = await decide();
    const target = { cluster: FLEET_CHAIN, name: nameOf(change) };
    try {
      const told = events.map(({ type, details }) => eventChange(deps, run, type, target, { details }));
      await deps.access.commit(change, told, version);
      return;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || attempt === TRIES) throw error;
    }
  }
}

function nameOf({ kind, value }: AccessChange): string {
  return kind === 'role' ? value.name : value.id;
}
