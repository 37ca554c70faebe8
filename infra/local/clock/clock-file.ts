/**
 * The file that keeps how far virtual time is ahead: `<state directory>/clock.json`. The supervisor writes it before it tells
 * its processes of a jump; a process that it does not know of can follow the file.
 */
import { readFileSync } from 'node:fs';
import { setOffset } from './shifted-date.ts';

/** Real time between two looks. The file is some twenty bytes; a watch on it would need care on every platform. */
const LOOK_EVERY_MS = 100;

/**
 * @returns milliseconds, 0 or more; null when there is no such file, as before the first jump
 * @throws Error when the file holds no offset: it is written in one step, so somebody changed it
 */
export function readClockFile(path: string): number | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const offsetMs = offsetIn(text);
  if (typeof offsetMs !== 'number' || !Number.isSafeInteger(offsetMs) || offsetMs < 0) {
    throw new Error(`${path} holds no clock offset. Repair it, or delete the state directory to begin anew.`);
  }
  return offsetMs;
}

function offsetIn(text: string): unknown {
  try {
    return (JSON.parse(text) as { offsetMs?: unknown } | null)?.offsetMs;
  } catch {
    return undefined;
  }
}

/**
 * Puts this process into the time of the file, now and after each jump, a tenth of a second later at most while the event
 * loop is free. A file that is missing, or goes missing, changes nothing. Does not keep the process alive.
 * @throws Error, at a later look as an uncaught one, when the file holds no offset or an earlier one: a process whose time is
 * not that of the stand-ins would only fail later, at some token's or certificate's dates
 */
export function followClockFile(path: string): void {
  const look = () => {
    const offsetMs = readClockFile(path);
    if (offsetMs !== null) setOffset(offsetMs);
  };
  look();
  setInterval(look, LOOK_EVERY_MS).unref();
}
