import { errorCodeOf } from '../domain/errors.ts';
import { subjectOf, type VaultHint } from '../domain/vault-hint.ts';
import type { Deps, Run } from './deps.ts';
import { lookAtAuthority } from './look-at-authority.ts';
import { lookAtIdentity } from './look-at-identity.ts';

/**
 * What became of a hint.
 * - `dropped`: it is about nothing that Everleaf knows.
 * - `nothing`: there was nothing to do.
 * - `too-soon`: somebody has looked at this a moment ago.
 * - `looked`: record and vault were compared, or a timer's work was done.
 * - `queued`, `reminded`: as the scan does it.
 * - `left-to-the-scan`: it is due, and the vaults have been sent enough until then.
 * - `failed`: the timers will come to it.
 */
export type HintOutcome =
  | 'dropped'
  | 'nothing'
  | 'too-soon'
  | 'looked'
  | 'queued'
  | 'reminded'
  | 'left-to-the-scan'
  | 'failed';

/**
 * Looks at once at what a vault's event is about, instead of when the timers come to it. The event itself is worth
 * nothing: it may be forged, late, doubled, or missing altogether, and every one of these comes to the same in the end,
 * because the timers are the truth and do all that this does. So it is done with, whatever happens: to deliver it again
 * would do nothing that the timers do not.
 *
 * Safe to run twice, at once, and in any order: what it does is what the scan, `reconcile` and the timers of authorities
 * and responders do, by the same functions, under the same leases, guarded by the same ETags.
 * @param hint or why the message could not be read as one
 */
export async function heedHint(
  deps: Deps,
  run: Run,
  hint: VaultHint | { readonly unreadable: string },
): Promise<HintOutcome> {
  if ('unreadable' in hint) return drop(run, `A message of the vaults' events: ${hint.unreadable}.`);
  const subject = subjectOf(hint.name);
  if (subject === null) {
    // Every bundle that is delivered and every rotation key come by here, so it is nothing to be warned of.
    run.log.write('info', `An event of a vault is about "${hint.name}", which no event is needed for.`);
    return 'dropped';
  }
  try {
    const outcome =
      subject.of === 'identity'
        ? await lookAtIdentity(deps, run, subject.identity, subject.kind, hint)
        : await lookAtAuthority(deps, run, subject, hint);
    if (outcome === 'dropped') {
      return drop(
        run,
        `An event of a vault is about "${hint.name}", and the record has no such thing there.`,
      );
    }
    run.log.write('info', `Event of a vault, ${hint.kind} of "${hint.name}": ${outcome}.`);
    return outcome;
  } catch (error) {
    run.log.write('warn', `Could not look at "${hint.name}", which the timers do instead: ${String(error)}`, {
      code: errorCodeOf(error),
    });
    return 'failed';
  }
}

function drop(run: Run, why: string): 'dropped' {
  run.log.write('warn', `${why} It is dropped.`);
  return 'dropped';
}
