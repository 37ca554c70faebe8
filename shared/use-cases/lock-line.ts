import { isEverleafError } from '../domain/errors.ts';
import type { CertificateRecord } from '../domain/identity.ts';
import { type Instance, withLock } from '../domain/instance.ts';
import { wholeSecond } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import { checkLine } from './claim-key.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { patient } from './patience.ts';
import { readStanding, superseded } from './proven-caller.ts';
import { busyIdentity } from './update-identity.ts';

/**
 * Locks a line because one of its superseded certificates asked for another key: two hold what only one should, and
 * nothing tells which of them is the right one. Only this line is locked; the others of the identity go on.
 *
 * A head that a login handed out and that nobody has used proves no second holder, because that login's answer may have
 * been lost: then nothing is locked, and the agent is sent to log in again. Nor does a request for the line's own key, or
 * for the certificate's: whoever asks with it holds nothing that the line's owner has not.
 * @param spkiHash SHA-256 of the key that was asked for
 * @throws EverleafError Locked; Expired with reason `certificate-superseded`
 */
export async function lockForked(
  deps: Deps,
  run: Run,
  record: CertificateRecord,
  spkiHash: string,
): Promise<never> {
  // Either of the two may keep using the line: that must not put off the lock.
  const patience = patient(deps);
  for (;;) {
    const { identity, line } = await readStanding(deps, record);
    if (line === null || line.value.provenAt === null || isOwnKey(line.value, record, spkiHash)) {
      throw superseded(identity.value);
    }
    const locked: Instance = { ...line.value, lockedAt: wholeSecond(deps.clock.now()) };
    try {
      await deps.identities.commit(record.identity.cluster, [
        {
          op: 'replace',
          kind: 'identity',
          value: withLock(identity.value, 1),
          etag: identity.etag,
        },
        { op: 'replace', kind: 'instance', value: locked, etag: line.etag },
        eventChange(deps, run, 'instance-locked', identity.value, {
          outcome: 'denied',
          reason: 'fork',
          serialNumber: record.serialNumber,
          authorityId: record.authorityId,
          details: { instance: locked.id, head: locked.head.serialNumber },
        }),
      ]);
      run.log.write(
        'warn',
        `Locked an instance of ${identityText(identity.value)}: two use its certificates.`,
        {
          instance: locked.id,
          serialNumber: record.serialNumber,
        },
      );
      checkLine(locked);
    } catch (error) {
      if (!isEverleafError(error, 'Conflict')) throw error;
      if (!(await patience())) throw busyIdentity(record.identity, error);
    }
  }
}

function isOwnKey(line: Instance, record: CertificateRecord, spkiHash: string): boolean {
  return [line.spkiHash, line.successor?.spkiHash, record.spkiHash].includes(spkiHash);
}
