/**
 * How many OCSP answers are signed in a minute: every one is a call of the vault, which has a quota (Key Vault takes
 * 2,000 RSA or EC operations in 10 seconds), and whoever asks is a stranger.
 */
import { MINUTE_MS } from '../domain/instants.ts';
import { secondsUntilEnd } from '../domain/rate-window.ts';
import type { Deps, Run } from './deps.ts';
import { hashedName, sourceWindow } from './source-window.ts';

/** A name in the counts and in the instance's memory that no source has. */
const EVERYBODY = 'everybody';

/**
 * Counts one signature, for all instances: against everybody, and against its source when the answer is for one caller
 * alone and will not be kept. An instance that knows a count to be used up asks nobody.
 * @returns null when it may be signed; else the seconds until it is worth another try
 * @throws EverleafError as Counters: what cannot be counted is not signed
 */
export async function countSignature(deps: Deps, run: Run, isForOne: boolean): Promise<number | null> {
  const { source, windowStart } = sourceWindow(deps, run);
  const { ocspSignaturesPerSource, ocspSignaturesPerMinute } = deps.policy;
  const limits: (readonly [name: string, most: number])[] = [
    ...(isForOne ? [[source, ocspSignaturesPerSource] as const] : []),
    [EVERYBODY, ocspSignaturesPerMinute],
  ];
  for (const [name, most] of limits) {
    const key = `everleaf/ocsp-signatures|${name}`;
    const known = deps.sources.failures(key, windowStart) ?? 0;
    if (known < most) {
      const count = await deps.counters.add(hashedName(deps, key), windowStart);
      deps.sources.learn(key, windowStart, count);
      if (count <= most) continue;
    }
    const turnedAway = deps.sources.countTurnedAway(key, windowStart);
    if (turnedAway > 0) {
      run.log.write('warn', 'Signs no more OCSP answers in this minute.', { name, count: turnedAway });
    }
    return secondsUntilEnd(windowStart, deps.clock.now(), MINUTE_MS);
  }
  return null;
}
