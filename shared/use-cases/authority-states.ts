import type { Authority, AuthorityState } from '../domain/authority.ts';
import { EverleafError } from '../domain/errors.ts';
import { deliverBundle } from './deliver-bundle.ts';
import type { Deps, Run } from './deps.ts';
import { disableEndedKeys } from './disable-ended-keys.ts';
import { renewResponders } from './renew-responders.ts';

/** @throws EverleafError NotFound */
export async function readAuthority(deps: Pick<Deps, 'fleet'>, id: string): Promise<Authority> {
  const stored = await deps.fleet.authority(id);
  if (stored === null) throw new EverleafError('NotFound', 'There is no such authority.');
  return stored.value;
}

/** What is possible instead, by the state that an authority is in. */
const WAYS_ON: Readonly<Record<AuthorityState, string>> = {
  Creating: 'It is still being made: prepare goes on with it, cancel gives it up.',
  Prepared: 'It can be activated, which publishes it first, or cancelled.',
  Published: 'It can be activated, cancelled or tainted.',
  Active: 'It can be tainted. It retires when the next one is activated.',
  Retiring: 'It can be tainted. It retires by itself when the last certificate that it signed has ended.',
  Retired: 'It has ended, and nothing in force needs it: prepare makes another one.',
  Tainted: 'Its waves can be paused and resumed, and it can be revoked.',
  Revoked: 'It has ended for good: prepare makes another one.',
};

/** The refusal of a step that does not fit an authority's state. */
export function wrongState({ id, state }: Authority, wanted: string): EverleafError {
  return new EverleafError(
    'StateConflict',
    `Authority ${id} is ${state}, so it cannot be ${wanted}. ${WAYS_ON[state]}`,
    { details: { state } },
  );
}

/** The refusal of a step that something is in the way of, which an operator may overrule where `remedy` says how. */
export function blocked(
  { id, state }: Authority,
  wanted: string,
  blockedBy: readonly string[],
  remedy: string,
): EverleafError {
  return new EverleafError(
    'StateConflict',
    `Authority ${id} cannot be ${wanted} yet: ${blockedBy.join('; ')}. ${remedy}`,
    { details: { state } },
  );
}

/**
 * What follows from a change of the trust bundle: the vaults get it, an authority that is new in it gets its OCSP responder,
 * and keys that have ended go out of use. Whatever fails
 * the timers do again, so the step itself, which stands, is not reported as failed.
 */
export async function followUp(deps: Deps, run: Run): Promise<void> {
  for (const [what, action] of [
    ['deliver the trust bundle', () => deliverBundle(deps, run)],
    ['renew the OCSP responders', () => renewResponders(deps, run)],
    ['take the keys of ended authorities out of use', () => disableEndedKeys(deps, run)],
  ] as const) {
    try {
      await action();
    } catch (error) {
      run.log.write('warn', `Could not ${what}; a timer does it: ${String(error)}`);
    }
  }
}
