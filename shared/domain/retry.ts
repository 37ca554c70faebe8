import { addMs, HOUR_MS, MINUTE_MS } from './instants.ts';

const FIRST_CEILING_MS = MINUTE_MS;
const LAST_CEILING_MS = 6 * HOUR_MS;

/**
 * When to try a failed renewal again: full jitter under a ceiling that doubles from 1 minute to 6 hours (the
 * "full jitter" of AWS's "Exponential Backoff And Jitter"), and never later than a quarter of what is left of the
 * credential's life, so that the tries come closer together as the end comes near.
 * @param attempts failures so far, the one just met included; 1 or more
 * @param notAfter end of the credential that is to be replaced; null while there is none
 * @param random a fraction from 0 up to, not including, 1
 */
export function retryAt(now: Date, attempts: number, notAfter: Date | null, random: number): Date {
  const ceiling = Math.min(FIRST_CEILING_MS * 2 ** Math.min(attempts - 1, 30), LAST_CEILING_MS);
  const left = notAfter === null ? Number.POSITIVE_INFINITY : notAfter.getTime() - now.getTime();
  const limit = left > 0 ? Math.min(ceiling, left / 4) : ceiling;
  return addMs(now, Math.floor(random * limit));
}
