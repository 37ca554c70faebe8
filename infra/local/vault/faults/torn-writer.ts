import { writeDurably, writeUnfinished } from '../durable-file.ts';

/** Ends this process as a power cut would: no handler runs, nothing is flushed. Never returns. */
export function crash(): Promise<never> {
  process.kill(process.pid, 'SIGKILL');
  // The signal arrives when the kernel likes; nothing may be answered until then.
  return new Promise(() => undefined);
}

/** Writes durably until it is armed; then it stops in the middle of the next write, and the process with it. */
export class TornWriter {
  #isArmed = false;

  arm(): void {
    this.#isArmed = true;
  }

  /** As writeDurably. When armed, half of the content reaches the disk where a killed write would have left it. */
  readonly write = async (path: string, content: string): Promise<void> => {
    if (!this.#isArmed) return writeDurably(path, content);
    await writeUnfinished(path, content.slice(0, Math.ceil(content.length / 2)));
    return crash();
  };
}
