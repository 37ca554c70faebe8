/** What everything shares that counts calls by where they come from and by the minute. */
import { toHex } from '../domain/encoding.ts';
import { isEverleafError } from '../domain/errors.ts';
import { MINUTE_MS } from '../domain/instants.ts';
import { sharedWindow } from '../domain/rate-window.ts';
import { networkOf } from '../domain/source.ts';
import type { Deps, Run } from './deps.ts';

/** Calls whose source the front end did not tell are one source. */
const UNKNOWN_SOURCE = 'unknown';

/** The network that a call comes from, and the start of this minute. */
export function sourceWindow(deps: Pick<Deps, 'clock'>, run: Run): { source: string; windowStart: Date } {
  const { source } = run.actor;
  return {
    source: source === null ? UNKNOWN_SOURCE : networkOf(source),
    windowStart: sharedWindow(deps.clock.now(), MINUTE_MS),
  };
}

/**
 * What fails in the storage here is told and left at that.
 * @returns null when it has failed
 */
export async function orLog<T>(run: Run, doing: string, action: () => Promise<T>): Promise<T | null> {
  try {
    return await action();
  } catch (error) {
    if (!isEverleafError(error)) throw error;
    run.log.write('warn', `Could not ${doing}: ${error.message}`, { code: error.code });
    return null;
  }
}

/** 32 hexadecimal digits for a text with characters that no row key may have. */
export function hashedName(deps: Pick<Deps, 'digest'>, text: string): string {
  return toHex(deps.digest.sha256(new TextEncoder().encode(text))).slice(0, 32);
}
