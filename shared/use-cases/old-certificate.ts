import { toHex } from '../domain/encoding.ts';
import type { CertificateRecord } from '../domain/identity.ts';
import { addMs, MINUTE_MS, toInstant } from '../domain/instants.ts';
import { identityText } from '../domain/names.ts';
import { sharedWindow } from '../domain/rate-window.ts';
import type { Deps, Run } from './deps.ts';
import { eventChange } from './events.ts';
import { orLog } from './source-window.ts';

/**
 * Writes down that a certificate which a newer one replaced, and which ended too long ago for anything, asked for another
 * key: somebody has an old backup, or a copy from one. It is no reason to stop whoever holds the line today. However
 * often it comes, a minute has one event of it.
 */
export async function tellOfOldCertificate(
  deps: Pick<Deps, 'clock' | 'random' | 'digest' | 'identities'>,
  run: Run,
  record: CertificateRecord,
): Promise<void> {
  const { identity, serialNumber, authorityId, notAfter, instance } = record;
  const endedAt = toInstant(notAfter);
  run.log.write('warn', `An old certificate of ${identityText(identity)} asks for another key.`, {
    serialNumber,
    endedAt,
  });
  const minute = sharedWindow(deps.clock.now(), MINUTE_MS);
  const key = `everleaf/old-certificate|${serialNumber}|${toInstant(minute)}`;
  const id = toHex(deps.digest.sha256(new TextEncoder().encode(key))).slice(0, 32);
  // Dated at the minute's last moment: until then its count still grows.
  const time = addMs(minute, MINUTE_MS - 1);
  const { value } = eventChange(deps, run, 'old-certificate-refused', identity, {
    outcome: 'denied',
    reason: 'fork',
    serialNumber,
    authorityId,
    details: { instance, endedAt },
  });
  await orLog(run, 'write down an old certificate', () => deps.identities.countEvent({ ...value, id, time }));
}
