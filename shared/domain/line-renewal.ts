import { isEnded, placeInLine } from './certificate-use.ts';
import type { CertificateHead } from './identity.ts';
import type { Instance } from './instance.ts';
import { addMs, DAY_MS } from './instants.ts';
import type { Policy } from './policy.ts';

/**
 * Whether a renewal comes in time. `recovery`: after the head's end, which uses up one of the line's recoveries, unless
 * the successor that it asks for again was one already. `too-late`: after the window for that. `spent`: the line has no
 * recovery left.
 */
export type RenewalTiming = 'in-time' | 'recovery' | 'recovery-again' | 'too-late' | 'spent';

/** Whether a certificate ended so long ago that nothing recovers it any more. */
export function isPastRecovery(
  { notAfter }: { readonly notAfter: Date },
  now: Date,
  { recoveryWindowDays }: Pick<Policy, 'recoveryWindowDays'>,
): boolean {
  return isEnded({ notAfter: addMs(notAfter, recoveryWindowDays * DAY_MS) }, now);
}

/** Judges the moment of a renewal of a line's head. */
export function judgeTiming(
  line: Instance,
  now: Date,
  policy: Pick<Policy, 'recoveryWindowDays' | 'recoveryBudget'>,
): RenewalTiming {
  const { notAfter } = line.head;
  if (!isEnded(line.head, now)) return 'in-time';
  if (isPastRecovery(line.head, now, policy)) return 'too-late';
  // Whoever asks again because an answer was lost must not lose a recovery each time.
  if (line.successor !== null && line.successor.issuedAt > notAfter) return 'recovery-again';
  return line.recoveriesUsed < policy.recoveryBudget ? 'recovery' : 'spent';
}

/** The line with a certificate that was issued to replace its head, and that nobody has used yet. */
export function lineAfterRenewal(
  line: Instance,
  issued: { readonly head: CertificateHead; readonly spkiHash: string },
  timing: 'in-time' | 'recovery' | 'recovery-again',
): Instance {
  const used = { 'in-time': 0, recovery: line.recoveriesUsed + 1, 'recovery-again': line.recoveriesUsed };
  return {
    ...line,
    successor: { ...issued.head, spkiHash: issued.spkiHash },
    recoveriesUsed: used[timing],
    lastSeenAt: issued.head.issuedAt,
  };
}

/** A new key per attempt is the cloud agent's way; after so long it is worth an event. */
const LATE_MS = 7 * DAY_MS;

/** Whether a head that asks with another key replaces a successor that it could have used long ago. */
export function isLateReplacement({ successor }: Instance, now: Date): boolean {
  return successor !== null && now.getTime() - successor.issuedAt.getTime() > LATE_MS;
}

/** Whether a certificate issued before is still what its line would be given now. */
export function isInForce(
  line: Instance,
  certificate: { readonly serialNumber: string; readonly notAfter: Date },
  now: Date,
): boolean {
  return placeInLine(line, certificate) !== 'superseded' && !isEnded(certificate, now);
}
