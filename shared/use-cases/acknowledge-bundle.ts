import { isEverleafError } from '../domain/errors.ts';
import type { CertificateRecord } from '../domain/identity.ts';
import { toInstant } from '../domain/instants.ts';
import type { Change } from '../ports/identity-store.ts';
import { isSignerCompromised, readAuthorities } from './authorities.ts';
import { bundleEvents, lineWithBundle, withBundle } from './bundle-word.ts';
import type { Deps, Run } from './deps.ts';
import { countIssuance } from './issuance-limit.ts';
import { RACES } from './issue-once.ts';
import { isRenewalAsked } from './login-answer.ts';
import { readStanding, runAs } from './proven-caller.ts';

/** The answer of `POST /api/bundle/acknowledge`. */
export interface Acknowledgement {
  readonly bundleId: string;
  /** Whether it is the bundle that agents are given now. */
  readonly current: boolean;
  /**
   * Now, and only while an operator's wish for the agent's next certificate stands, or the authority that signed the one
   * it has is compromised: the agent is to renew at once.
   */
  readonly renewAfter?: string;
}

/**
 * Records which trust bundle an agent says that it holds: an authority is only put to use once everybody trusts it.
 * Saying the same again changes nothing. It is what an agent asks day by day between two renewals, and so the way to tell
 * it of a renewal that an operator wishes.
 * @param record the certificate whose key was proven
 * @throws EverleafError Revoked, Locked when that came after the proof; TooManyRequests for one that keeps changing its word
 */
export async function acknowledgeBundle(
  deps: Deps,
  run: Run,
  record: CertificateRecord,
  bundleId: string,
): Promise<Acknowledgement> {
  const { all, bundle } = await readAuthorities(deps);
  const isUrgent = isSignerCompromised(all, record);
  for (let race = 1; ; race++) {
    const { identity, line } = await readStanding(deps, record);
    const isAsked = line !== null && (isUrgent || isRenewalAsked(identity.value));
    const answer = {
      bundleId,
      current: bundle.id === bundleId,
      ...(isAsked ? { renewAfter: toInstant(deps.clock.now()) } : {}),
    };
    const before = line?.value ?? null;
    const isKnown = before === null || before.bundleId === bundleId;
    const told = withBundle(identity.value, before, bundleId);
    if (isKnown && told.acknowledgedBundleId === identity.value.acknowledgedBundleId) return answer;
    const changes: Change[] = [
      {
        op: 'replace',
        kind: 'identity',
        value: countIssuance(deps, told),
        etag: identity.etag,
      },
      ...bundleEvents(deps, runAs(run, identity.value), identity.value, before, bundleId),
    ];
    if (line !== null) {
      const value = lineWithBundle(line.value, bundleId);
      changes.push({ op: 'replace', kind: 'instance', value, etag: line.etag });
    }
    try {
      await deps.identities.commit(record.identity.cluster, changes);
      return answer;
    } catch (error) {
      if (!isEverleafError(error, 'Conflict') || race === RACES) throw error;
    }
  }
}
