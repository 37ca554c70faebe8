import { ProblemError } from './control/json-exchange.ts';

/**
 * How this process asks its supervisor to move the clock of the whole environment: `{ type: 'advance', id, ms }` over
 * IPC, answered by `{ type: 'advanced', id, offsetMs }` once every process, this one included, has moved.
 * @returns undefined when there is no supervisor
 */
export function supervisorAdvance(): ((ms: number) => Promise<void>) | undefined {
  if (process.send === undefined) return undefined;
  let lastId = 0;
  const waiting = new Map<number, () => void>();
  process.on('message', (message: unknown) => {
    const { type, id } = (message ?? {}) as { type?: unknown; id?: unknown };
    if (type !== 'advanced' || typeof id !== 'number') return;
    waiting.get(id)?.();
    waiting.delete(id);
  });
  return (ms) =>
    new Promise((resolve, reject) => {
      lastId += 1;
      const id = lastId;
      waiting.set(id, resolve);
      process.send?.({ type: 'advance', id, ms }, (error: Error | null) => {
        if (error === null) return;
        waiting.delete(id);
        reject(new ProblemError(503, 'The supervisor is gone, so the clock cannot be moved.'));
      });
    });
}
