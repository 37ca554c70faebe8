/**
 * `node --import` this file and the process lives in virtual time, in one of two ways:
 * - EVERLEAF_CLOCK_OFFSET_MS, by default 0, is the offset to begin with; later moves arrive from the supervisor over IPC and
 *   are acknowledged, so that a jump is over only when every process has made it. So it is for the supervisor's own.
 * - EVERLEAF_CLOCK_FILE names a state directory's clock.json, which the process follows within a moment. So it is for whatever
 *   somebody else starts, such as the worker of another functions host.
 */
import { followClockFile } from './clock-file.ts';
import { installShiftedDate, moveFollowed, setOffset } from './shifted-date.ts';

installShiftedDate();
const clockFile = process.env['EVERLEAF_CLOCK_FILE'] ?? '';
if (clockFile !== '') followClockFile(clockFile);
else setOffset(Number(process.env['EVERLEAF_CLOCK_OFFSET_MS'] ?? 0));

if (process.channel !== undefined && process.channel !== null) {
  process.on('message', (message: unknown) => {
    if (typeof message !== 'object' || message === null) return;
    const { type, offsetMs } = message as { type?: unknown; offsetMs?: unknown };
    if (type !== 'clock' || typeof offsetMs !== 'number') return;
    setOffset(offsetMs);
    // What could not be done about it ends the process, as an error that nobody caught.
    void moveFollowed().then(() => process.send?.({ type: 'clock-set', offsetMs }));
  });
  // Listening for messages must not keep alive a process that has nothing left to do.
  process.channel.unref();
}
