import { type AuditEvent, FLEET_CHAIN } from '../domain/audit.ts';
import { EverleafError } from '../domain/errors.ts';
import { addMs, MINUTE_MS } from '../domain/instants.ts';
import { type IdentityId, identityText } from '../domain/names.ts';
import { secondsUntilEnd, sharedWindow } from '../domain/rate-window.ts';
import type { Deps, Run } from './deps.ts';
import { hashedName, orLog, sourceWindow } from './source-window.ts';

/** Reason of the events for calls that were turned away unheard. */
const TURNED_AWAY = 'too-many-failures';

/**
 * Turns a login away whose source had too many tokens refused in this minute, before anything is looked up. It goes by
 * the source alone, whatever token comes with the call, so that nothing is learnt from it; and no identity can be
 * locked from outside, because other sources go on. What this instance remembers decides; where it remembers nothing
 * of the source in this minute, the shared count tells it once.
 * @throws EverleafError TooManyRequests
 */
export async function assertSourceMayTry(deps: Deps, run: Run): Promise<void> {
  const { source, windowStart } = sourceWindow(deps, run);
  const known =
    deps.sources.failures(source, windowStart) ?? (await askShared(deps, run, source, windowStart));
  if (known >= deps.policy.loginFailuresPerSource) throw await turnAway(deps, run, source, windowStart);
}

/**
 * Counts a refused token against its source, for all instances, and in the audit log. Every refusal makes the same two
 * calls, whatever was wrong with the token, except when its source was blocked by others of its calls meanwhile: then
 * it makes none, and the source is told that instead of the refusal.
 *
 * Counting protects the service and decides about nobody's identity: when the shared count or the event cannot be
 * written, this instance goes by its own count, and the log says so.
 * @param identity whose genuine token it was; null when nobody's
 * @throws EverleafError TooManyRequests
 */
export async function countRefusal(
  deps: Deps,
  run: Run,
  reason: string,
  identity: IdentityId | null,
): Promise<void> {
  const { source, windowStart } = sourceWindow(deps, run);
  const failures = deps.sources.countFailure(source, windowStart);
  if (failures > deps.policy.loginFailuresPerSource) throw await turnAway(deps, run, source, windowStart);
  const share = async () => {
    const shared = await deps.counters.add(counterName(deps, source), windowStart);
    deps.sources.learn(source, windowStart, shared);
  };
  await Promise.all([
    orLog(run, 'count a refused login for all instances', share),
    orLog(run, 'write down a refused login', () =>
      deps.identities.countEvent(deniedEvent(deps, run, { source, windowStart, reason, identity, count: 1 })),
    ),
  ]);
}

/** Removes the counts of minutes that are over: they decide nothing any more. */
export function removeOldFailures(deps: Pick<Deps, 'clock' | 'counters'>): Promise<number> {
  // An instance whose clock is behind may still be counting the minute before.
  return deps.counters.removeBefore(addMs(sharedWindow(deps.clock.now(), MINUTE_MS), -10 * MINUTE_MS));
}

/** Counts a call that is not heard; one that came often is written down at each doubling, so that it costs nothing. */
async function turnAway(deps: Deps, run: Run, source: string, windowStart: Date): Promise<EverleafError> {
  const count = deps.sources.countTurnedAway(source, windowStart);
  if (count > 0) {
    run.log.write('warn', 'Turns logins away: too many tokens of their source were refused.', {
      source,
      count,
    });
    await orLog(run, 'write down logins that were turned away', () =>
      deps.identities.countEvent(
        deniedEvent(deps, run, { source, windowStart, reason: TURNED_AWAY, identity: null, count }),
      ),
    );
  }
  return new EverleafError(
    'TooManyRequests',
    'Too many tokens from this address were refused. Check the token, and try again when Retry-After has passed.',
    { retryable: true, retryAfterSeconds: secondsUntilEnd(windowStart, deps.clock.now(), MINUTE_MS) },
  );
}

async function askShared(deps: Deps, run: Run, source: string, windowStart: Date): Promise<number> {
  const known = await orLog(run, 'read how many logins were refused', async () => {
    const failures = await deps.counters.count(counterName(deps, source), windowStart);
    deps.sources.learn(source, windowStart, failures);
    return failures;
  });
  return known ?? 0;
}

interface Refusal {
  readonly source: string;
  readonly windowStart: Date;
  readonly reason: string;
  readonly identity: IdentityId | null;
  readonly count: number;
}

/**
 * The one event of all refusals of a source in a minute that have the same reason and identity. It is dated at the
 * minute's last moment: until then its count still grows, and what seals events leaves the youngest alone.
 */
function deniedEvent(deps: Deps, run: Run, refusal: Refusal): AuditEvent & { identity: IdentityId } {
  const { source, windowStart, reason, identity, count } = refusal;
  const whose = identity === null ? '' : identityText(identity);
  return {
    v: 1,
    id: hashedName(deps, `everleaf/login-denied|${source}|${windowStart.toISOString()}|${reason}|${whose}`),
    time: addMs(windowStart, MINUTE_MS - 1),
    type: 'login-denied',
    outcome: 'denied',
    reason,
    count,
    actor: { kind: 'anonymous', id: null, source: run.actor.source === null ? null : source },
    target: {
      cluster: identity?.cluster ?? null,
      name: identity?.name ?? null,
      serialNumber: null,
      authorityId: null,
    },
    correlationId: run.correlationId,
    details: {},
    identity: identity ?? { cluster: FLEET_CHAIN, name: 'login' },
  };
}

/** Addresses have characters that no row key may have. */
function counterName(deps: Deps, source: string): string {
  return hashedName(deps, `everleaf/login-failures|${source}`);
}
