import { EverleafError, errorCodeOf, isEverleafError } from '../domain/errors.ts';
import { tokenEnd } from '../domain/identity.ts';
import { identityText } from '../domain/names.ts';
import { isWorkDue } from '../domain/renewal-plan.ts';
import { retryAt } from '../domain/retry.ts';
import type { WorkItem } from '../ports/work-queue.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { renewCertificate } from './renew-certificate.ts';
import { rotateToken } from './rotate-token.ts';
import { moveDue, updateIdentity, withCredential } from './update-identity.ts';

/**
 * Does one piece of work from the queue. A renewal that fails is written into the record, with the moment of the next
 * try, and the message is done with: the record, not the queue, remembers what is still to do.
 * @throws EverleafError only when the failure itself could not be recorded; the queue delivers the message again then
 */
export async function doWork(deps: Deps, run: Run, item: WorkItem): Promise<void> {
  try {
    const renew = item.kind === 'certificate' ? renewCertificate : rotateToken;
    const outcome = await renew(deps, run, item.identity, item.generation);
    if (outcome === 'nothing-to-do') {
      run.log.write('info', `Nothing to do for the ${item.kind} of ${identityText(item.identity)}.`);
    }
  } catch (error) {
    if (isEverleafError(error, 'NotFound') && (await deps.identities.identity(item.identity)) === null) {
      run.log.write(
        'warn',
        `Dropped work for ${identityText(item.identity)}: there is no such identity any more.`,
      );
      return;
    }
    await recordFailure(deps, run, item, error);
  }
}

/**
 * Writes a failure down, with when to try again, unless the credential was renewed by somebody else meanwhile or has no
 * work left: a failure of the same message delivered twice would be tried again by workers who find nothing to do.
 */
async function recordFailure(deps: Deps, run: Run, item: WorkItem, error: unknown): Promise<void> {
  const code = errorCodeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  run.log.write(
    'error',
    `Renewing the ${item.kind} of ${identityText(item.identity)} failed: ${code}: ${message}`,
    {
      ...(error instanceof EverleafError ? error.details : {}),
      kind: item.kind,
      code,
    },
  );
  await updateIdentity(deps, item.identity, (current) => {
    const state = current[item.kind];
    const isSuperseded =
      item.kind === 'certificate'
        ? state.generation !== item.generation
        : current.token.vaultVersion !== null && state.generation !== item.generation;
    const now = deps.clock.now();
    if (isSuperseded || !isWorkDue(current, item.kind, now)) return null;
    const endsAt = item.kind === 'token' ? tokenEnd(current) : (current.certificate.head?.notAfter ?? null);
    const attempts = (state.failure?.attempts ?? 0) + 1;
    const next = retryAt(now, attempts, endsAt, deps.random.fraction());
    const due = moveDue(current, item.kind, next);
    const failure = { at: now, code, attempts, retryAt: next };
    return {
      identity: withCredential(due.identity, item.kind, { queuedAt: null, failure }),
      changes: [
        ...due.changes,
        eventChange(deps, run, 'renewal-failed', current, {
          outcome: 'failed',
          reason: code,
          details: { kind: item.kind, attempts },
        }),
      ],
    };
  });
}
