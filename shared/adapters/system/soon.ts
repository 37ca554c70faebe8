/** Does `work` in `ms` milliseconds if the process still runs then; nothing that waits so keeps it running. */
export function soon(ms: number, work: () => void): void {
  setTimeout(work, ms).unref();
}
