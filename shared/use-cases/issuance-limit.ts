import { EverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { HOUR_MS } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import { countIn, countOneMore, secondsUntilEnd } from '../domain/rate-window.ts';
import type { Deps } from './deps.ts';

/**
 * Asks, before anything is signed, whether an identity may have one more certificate at its own request, or anything else
 * that leaves rows for good: a token, a note of a login or of its trust bundle. An answer that is repeated leaves none and
 * does not ask; what the timer and operators do for an identity never asks.
 * @throws EverleafError TooManyRequests when ISSUANCES_PER_IDENTITY were counted within the hour
 */
export function assertMayIssue(deps: Pick<Deps, 'clock' | 'policy'>, identity: Identity): void {
  const now = deps.clock.now();
  const { issuances } = identity;
  if (issuances === null || countIn(issuances, now, HOUR_MS) < deps.policy.issuancesPerIdentity) return;
  throw new EverleafError(
    'TooManyRequests',
    `Cannot do more for ${identityText(identity)}: it has asked for ${issuances.count} certificates, tokens and notes ` +
      'within the hour. Look for an agent that does not keep what it gets.',
    { retryable: true, retryAfterSeconds: secondsUntilEnd(issuances.windowStart, now, HOUR_MS) },
  );
}

/**
 * As assertMayIssue, before anything is written, even the claim of a key. What was begun or answered before for the same
 * credential and key may go on: whether that issues anything is decided later.
 * @param credential id of the token, or serial number of the certificate, that was presented
 * @throws EverleafError TooManyRequests
 */
export async function assertMayBegin(
  deps: Pick<Deps, 'clock' | 'policy' | 'identities'>,
  identity: Identity,
  credential: string,
  spkiHash: string,
): Promise<void> {
  try {
    assertMayIssue(deps, identity);
  } catch (error) {
    if ((await deps.identities.issuance(identity.cluster, credential, spkiHash)) === null) throw error;
  }
}

/**
 * The identity with one more issuance counted: to be written, under its etag, in the transaction that records what was
 * asked for, so that of many requests at once no more than the limit get through.
 * @throws EverleafError TooManyRequests as assertMayIssue
 */
export function countIssuance(deps: Pick<Deps, 'clock' | 'policy'>, identity: Identity): Identity {
  assertMayIssue(deps, identity);
  return { ...identity, issuances: countOneMore(identity.issuances, deps.clock.now(), HOUR_MS) };
}
