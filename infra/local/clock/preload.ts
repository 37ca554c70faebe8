/**
 * `node --import` this file and the process lives in virtual time. The offset to begin with stands in
 * EVERLEAF_CLOCK_OFFSET_MS; later moves arrive from the supervisor over IPC and are acknowledged, so that a jump
 * is over only when every process has made it.
 */
import { installShiftedDate, setOffset } from './shifted-date.ts';

installShiftedDate();
setOffset(Number(process.env['EVERLEAF_CLOCK_OFFSET_MS'] ?? 0));

if (process.channel !== undefined && process.channel !== null) {
  process.on('message', (message: unknown) => {
    if (typeof message !== 'object' || message === null) return;
    const { type, offsetMs } = message as { type?: unknown; offsetMs?: unknown };
    if (type !== 'clock' || typeof offsetMs !== 'number') return;
    setOffset(offsetMs);
    process.send?.({ type: 'clock-set', offsetMs });
  });
  // Listening for messages must not keep alive a process that has nothing left to do.
  process.channel.unref();
}
