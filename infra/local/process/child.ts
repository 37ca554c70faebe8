/**
 * The child's side of the local environment: how the vault stand-in, the identity provider, the storage and the
 * functions host are started, report that they are ready, and end.
 *
 * Parent to child: the environment variable EVERLEAF_PROCESS_CONFIG (JSON), then `{ type: 'stop' }`.
 * Child to parent: `{ type: 'ready', info }` or `{ type: 'failed', message }`. A lost channel means that the parent is
 * gone, which is a stop as well: nothing of the environment may outlive its supervisor, and what was acknowledged
 * must be on disk first.
 */
export interface Running {
  /** What the parent wants to know, for example the port. */
  readonly info: Record<string, unknown>;
  /** Ends the work in good order; may take seconds, must not throw for having been called twice. */
  stop(): Promise<void>;
}

/** Starts a local process and keeps it until the parent says stop, goes away, or a signal arrives. */
export async function runChild<Config>(start: (config: Config) => Promise<Running>): Promise<void> {
  let running: Running | undefined;
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    let code = 0;
    try {
      await running?.stop();
    } catch (error) {
      console.error(error);
      code = 1;
    }
    process.exit(code);
  };
  process.on('message', (message) => {
    if ((message as { type?: unknown } | null)?.type === 'stop') void stop();
  });
  process.on('disconnect', () => void stop());
  process.on('SIGTERM', () => void stop());
  // Ctrl-C and a closed terminal reach the whole process group at once; the supervisor decides the order in which its children end.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);

  try {
    const config = JSON.parse(process.env['EVERLEAF_PROCESS_CONFIG'] ?? 'null') as Config;
    if (config === null) throw new Error('EVERLEAF_PROCESS_CONFIG is not set: start this with `npm start`.');
    running = await start(config);
    process.send?.({ type: 'ready', info: running.info });
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (process.send === undefined) console.error(message);
    else await new Promise((sent) => process.send?.({ type: 'failed', message }, () => sent(undefined)));
    process.exit(1);
  }
}
