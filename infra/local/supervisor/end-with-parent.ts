/**
 * Preloaded into a process that only does its work and ends (the first start): it ends at once when its parent says stop or
 * is gone. Whatever it was doing is made to be interrupted anywhere.
 */
process.on('disconnect', () => process.exit(1));
process.on('message', (message) => {
  if ((message as { type?: unknown } | null)?.type === 'stop') process.exit(0);
});
// Ctrl-C reaches the whole process group at once; the supervisor decides the order in which its children end.
process.on('SIGINT', () => undefined);
// Listening must not keep alive a process that has nothing left to do.
process.channel?.unref();
