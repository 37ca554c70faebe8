import type { CredentialKind, Identity } from './identity.ts';
import { tokenEnd } from './identity.ts';
import { addMs, DAY_MS, earlier, SECOND_MS } from './instants.ts';
import { planCredential } from './renewal-plan.ts';

/**
 * Reminders of one credential: the first at its own moment in the window, the next when the window closes, for up to
 * then nothing is late. From then on half a life is left, and each day is told of, so that whoever watches the events
 * by day sees what is still open without asking for a longer past.
 */
const REMIND_EVERY_MS = DAY_MS;
/** After its end: what nobody came back for in 45 daily reminders is not urgent any more, and must not fill the log. */
const REMIND_OF_ENDED_EVERY_MS = 7 * DAY_MS;

/**
 * Reminders that one scan writes, apart from the renewals' budget: they ask nothing of the vaults. So many take a few
 * seconds, and 96 scans a day remind a fleet of any size.
 */
export const REMINDERS_PER_SCAN = 1_000;

/**
 * When to remind again of a credential that others must see to, after a reminder at `now`. Later for a later `now`,
 * and always later than `now`.
 * @returns null while there is no credential: an agent that never logged in has nothing that could end
 */
export function nextReminderAt(identity: Identity, kind: CredentialKind, now: Date): Date | null {
  const { windowClosesAt } = planCredential(identity, kind, now);
  const endsAt = kind === 'token' ? tokenEnd(identity) : (identity.certificate.head?.notAfter ?? null);
  if (windowClosesAt === null || endsAt === null) return null;
  // What an operator asked for is not waited for until a window closes.
  if (now < windowClosesAt && identity[kind].forcedAt === null) return windowClosesAt;
  // Its last second is part of its life (RFC 5280, 4.1.2.5), and the end is told of as soon as it has passed.
  const overAt = addMs(endsAt, SECOND_MS);
  return now < overAt ? earlier(addMs(now, REMIND_EVERY_MS), overAt) : addMs(now, REMIND_OF_ENDED_EVERY_MS);
}
