import type { ActiveAuthority } from '../domain/authority.ts';
import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { Identity } from '../domain/identity.ts';
import { SECOND_MS } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import type { IssuanceRecord, Stored } from '../ports/identity-store.ts';
import type { Deps } from './deps.ts';
import { assertMayIssue } from './issuance-limit.ts';
import { isAttemptUsable, planAttempt } from './issue-certificate.ts';

/** An attempt that has not ended by then is taken over by the next equal request. */
const TAKE_OVER_MS = 30 * SECOND_MS;
/** How an equal request waits for the one that signs: 5 s in all. */
const WAIT_MS = 250;
const WAITS = 20;
/** Lost races for one row before the caller is asked to come back. */
export const RACES = 10;

/** What is to be issued to whom: equal orders get one certificate. */
export interface IssuanceOrder {
  readonly authority: ActiveAuthority;
  readonly identity: Identity;
  /** Id of the token, or serial number of the certificate, that was presented. */
  readonly credential: string;
  /** SHA-256 of the SubjectPublicKeyInfo that the certificate is for. */
  readonly spkiHash: string;
  readonly instance: string;
}

/**
 * Becomes the one that signs for an order, or finds what an equal order got. The attempt, with its serial number and
 * dates, is written down before anything is signed, and whoever takes over one that a crash left signs the same.
 * @param isRepeatable whether a finished issuance is still the answer; another one is begun when it is not
 * @returns the issuance: to be signed when `finishedAt` is null, else to be answered
 * @throws EverleafError InProgress when an equal order is still being worked on after 5 s; AuthorityEnding;
 *   TooManyRequests when the identity may have no more
 */
export async function claimIssuance(
  deps: Deps,
  order: IssuanceOrder,
  isRepeatable: (issuance: IssuanceRecord) => boolean | Promise<boolean>,
): Promise<Stored<IssuanceRecord>> {
  const { identity, credential, spkiHash } = order;
  for (let waited = 0; waited <= WAITS; waited++) {
    const found = await deps.identities.issuance(identity.cluster, credential, spkiHash);
    if (found !== null && found.value.finishedAt !== null) {
      if (await isRepeatable(found.value)) return found;
    } else if (
      found !== null &&
      deps.clock.now().getTime() - found.value.startedAt.getTime() < TAKE_OVER_MS
    ) {
      await deps.clock.wait(WAIT_MS);
      continue;
    }
    assertMayIssue(deps, identity);
    const claimed = nextIssuance(deps, order, found?.value ?? null);
    try {
      await deps.identities.commit(identity.cluster, [
        found === null
          ? { op: 'insert', kind: 'issuance', value: claimed }
          : { op: 'replace', kind: 'issuance', value: claimed, etag: found.etag },
      ]);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      continue;
    }
    const mine = await deps.identities.issuance(identity.cluster, credential, spkiHash);
    if (mine !== null && mine.value.attempt.id === claimed.attempt.id) return mine;
  }
  throw issuanceInProgress(identity);
}

function nextIssuance(deps: Deps, order: IssuanceOrder, left: IssuanceRecord | null): IssuanceRecord {
  const { authority, identity, credential, spkiHash, instance } = order;
  const isResumable =
    left !== null && left.finishedAt === null && isAttemptUsable(deps, left.attempt, authority);
  return {
    v: 1,
    identity: { cluster: identity.cluster, name: identity.name },
    credential,
    spkiHash,
    instance,
    startedAt: deps.clock.now(),
    attempt: isResumable ? left.attempt : { ...planAttempt(deps, authority, identity), spkiHash },
    finishedAt: null,
  };
}

export function issuanceInProgress(identity: Identity): EverleafError {
  return new EverleafError(
    'InProgress',
    `The same request of ${identityText(identity)} is being answered. Send it again in a moment.`,
    { retryable: true, retryAfterSeconds: 5 },
  );
}
