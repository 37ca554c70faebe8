import { EverleafError, isEverleafError } from '../domain/errors.ts';
import type { CertificateRecord, Identity } from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { toInstant, wholeSecond } from '../domain/instants.ts';
import {
  isLateReplacement,
  judgeTiming,
  lineAfterRenewal,
  type RenewalTiming,
} from '../domain/line-renewal.ts';
import { identityText } from '../domain/names.ts';
import type { Change, IssuanceRecord, Stored } from '../ports/identity-store.ts';
import { agentCertificateChanges } from './agent-certificate.ts';
import { bundleEvents, lineWithBundle, withBundle } from './bundle-word.ts';
import { checkKey } from './claim-key.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { countIssuance } from './issuance-limit.ts';
import { headOf } from './issue-certificate.ts';
import { issuanceInProgress, RACES } from './issue-once.ts';
import { readStanding } from './proven-caller.ts';
import { refuseRuled } from './refuse-ruled.ts';

/** A successor that was signed, and the claim that it ends. */
interface SignedRenewal {
  /** The head that it is to replace. */
  readonly shown: CertificateRecord;
  readonly record: CertificateRecord;
  readonly renewCount: number;
  readonly issuance: Stored<IssuanceRecord>;
  readonly bundleId: string | null;
}

type Allowed = Exclude<RenewalTiming, 'too-late' | 'spent'>;

/**
 * Whether a line's head may be renewed at this moment.
 * @throws EverleafError Expired with reason `recovery-window-over` or `recoveries-spent`
 */
export function checkTiming(
  deps: Pick<Deps, 'clock' | 'policy'>,
  identity: Identity,
  line: Instance,
): Allowed {
  const timing = judgeTiming(line, deps.clock.now(), deps.policy);
  if (timing !== 'too-late' && timing !== 'spent') return timing;
  const { recoveryWindowDays, recoveryBudget } = deps.policy;
  const [reason, why] =
    timing === 'too-late'
      ? ['recovery-window-over', `more than ${recoveryWindowDays} days ago`]
      : ['recoveries-spent', `and the instance has used its ${recoveryBudget} recoveries in a row`];
  throw new EverleafError(
    'Expired',
    `Cannot renew the certificate of ${identityText(identity)}: it ended at ${toInstant(line.head.notAfter)}, ${why}. ` +
      'Log in again with the token.',
    { details: { reason } },
  );
}

/**
 * Writes a signed successor and everything that follows from it in one transaction, on the record as it stands at that
 * moment.
 * @returns null when an equal request was faster, or the head has been replaced in between: look again
 * @throws EverleafError Revoked, Locked, Expired when that came in between; InProgress after too many lost races
 */
export async function recordRenewal(
  deps: Deps,
  run: Run,
  renewal: SignedRenewal,
): Promise<{ identity: Identity; record: CertificateRecord } | null> {
  const { shown, record, issuance } = renewal;
  const { cluster } = shown.identity;
  for (let race = 0; race < RACES; race++) {
    const { identity, line, place } = await readStanding(deps, shown);
    if (line === null || place !== 'head') return null;
    // After the identity was read: a revocation later than that makes the commit fail.
    await checkKey(deps, shown.identity, record.spkiHash);
    const timing = checkTiming(deps, identity.value, line.value);
    const after = outcomeOf(deps, renewal, identity.value, line.value, timing);
    try {
      await deps.identities.commit(cluster, [
        { op: 'insert', kind: 'certificate', value: record },
        { op: 'replace', kind: 'identity', value: after.identity, etag: identity.etag },
        { op: 'replace', kind: 'instance', value: after.line, etag: line.etag },
        {
          op: 'replace',
          kind: 'issuance',
          value: { ...issuance.value, finishedAt: deps.clock.now() },
          etag: issuance.etag,
        },
        ...after.changes,
        ...eventsOf(deps, run, renewal, after.identity, line.value, timing),
        ...bundleEvents(deps, run, identity.value, line.value, renewal.bundleId),
      ]);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      const now = await deps.identities.issuance(cluster, shown.serialNumber, record.spkiHash);
      if (now?.etag !== issuance.etag) return null;
      continue;
    }
    await refuseRuled(deps, run, after.identity, record);
    if (timing === 'recovery') {
      run.log.write('warn', `An ended certificate of ${identityText(shown.identity)} was renewed.`, {
        instance: shown.instance,
        recoveriesUsed: after.line.recoveriesUsed,
      });
    }
    return { identity: after.identity, record };
  }
  throw issuanceInProgress(shown.identity);
}

function outcomeOf(
  deps: Pick<Deps, 'clock' | 'policy'>,
  { record, renewCount, bundleId }: SignedRenewal,
  identity: Identity,
  line: Instance,
  timing: Allowed,
): { identity: Identity; line: Instance; changes: readonly Change[] } {
  const head = headOf(record, renewCount, null);
  const now = wholeSecond(deps.clock.now());
  const counted = countIssuance(deps, withBundle(identity, line, bundleId));
  const { identity: renewed, changes } = agentCertificateChanges(counted, head, now);
  const next = lineAfterRenewal(line, { head, spkiHash: record.spkiHash }, timing);
  return {
    identity: { ...renewed, lastSeenAt: now },
    line: { ...lineWithBundle(next, bundleId), lastSeenAt: now },
    changes,
  };
}

function eventsOf(
  deps: Deps,
  run: Run,
  { record, renewCount }: SignedRenewal,
  identity: Identity,
  before: Instance,
  timing: Allowed,
): Change[] {
  const { instance, serialNumber, authorityId } = record;
  const event = (
    type: Parameters<typeof eventChange>[2],
    details: Record<string, string | number | boolean>,
  ) =>
    eventChange(deps, run, type, identity, {
      serialNumber,
      authorityId,
      details: { instance, ...details },
    });
  const events = [event('certificate-renewed', { renewCount, recovery: timing !== 'in-time' })];
  if (timing === 'recovery') {
    events.push(event('recovery-used', { endedAt: toInstant(before.head.notAfter) }));
  }
  if (before.successor !== null && isLateReplacement(before, deps.clock.now())) {
    events.push(event('successor-superseded', { superseded: before.successor.serialNumber }));
  }
  return events;
}
