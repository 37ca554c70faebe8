const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const FIRST_MS = MINUTE_MS;
const LONGEST_MS = 6 * HOUR_MS;
/** Full jitter may come out at nothing; a server that is down must not be asked without pause. */
const SHORTEST_MS = 5000;
/** A Retry-After beyond this is a mistake, and must not put an agent to sleep until its certificate has ended. */
const LONGEST_RETRY_AFTER_MS = 24 * HOUR_MS;

export interface Failure {
  /** How many times in a row it has failed now, 1 or more. */
  readonly attempts: number;
  readonly now: Date;
  /** When the credential ends that the act is about; null when it has none. */
  readonly endsAt: Date | null;
  /** What the server asked for; null when it did not. */
  readonly retryAfterSeconds: number | null;
  /** From 0 up to but not 1. */
  readonly random: number;
}

/**
 * When to try again: full jitter over 1 minute doubling to 6 hours, and never later than a quarter of what is left of the
 * credential's life; but not before the server's Retry-After. It is the same policy as the server's for its own renewals.
 */
export function nextTry({ attempts, now, endsAt, retryAfterSeconds, random }: Failure): Date {
  const most = Math.min(FIRST_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_MS);
  const leftMs = endsAt === null ? 0 : endsAt.getTime() - now.getTime();
  const cap = leftMs > 0 ? Math.min(most, leftMs / 4) : most;
  const wanted = Math.max(SHORTEST_MS, random * cap);
  const asked = Math.min((retryAfterSeconds ?? 0) * 1000, LONGEST_RETRY_AFTER_MS);
  return new Date(now.getTime() + Math.max(wanted, asked));
}
