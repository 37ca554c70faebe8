/** One process of the local environment, seen from its parent; the child's side is ../process/child.ts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync, renameSync } from 'node:fs';

const CLOCK_PRELOAD = new URL('../clock/preload.ts', import.meta.url).href;

export interface LocalProcessOptions {
  /** Short lower-case name, for messages, log files and claims. */
  readonly role: string;
  /** Absolute path of the module to run. */
  readonly module: string;
  /** Modules loaded before it, after the clock. */
  readonly preloads?: readonly string[];
  /** The whole environment of the process, but for the two variables of the protocol. */
  readonly environment: Readonly<Record<string, string>>;
  /** Handed over as EVERLEAF_PROCESS_CONFIG. */
  readonly config: unknown;
  readonly clockOffsetMs: number;
  /** Where its output goes; the file of the run before is kept beside it as `.1`. */
  readonly logFile: string;
  /** Also hand its standard output to the parent, line by line. */
  readonly onOutput?: (text: string) => void;
  /** True = a process group of its own, out of reach of a Ctrl-C or a kill of the parent's group. */
  readonly ownGroup?: boolean;
}

type Message = { readonly type?: unknown; readonly [field: string]: unknown };

export class LocalProcess {
  readonly role: string;
  readonly logFile: string;
  /** Resolves when the process has ended, with how: "exit code 1", "signal SIGKILL". Never rejects. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<(message: Message) => void>();
  #alive = true;

  /** Starts the process. What goes wrong from here on shows in `ready()` and `exited`. */
  constructor(options: LocalProcessOptions) {
    this.role = options.role;
    this.logFile = options.logFile;
    if (existsSync(options.logFile)) renameSync(options.logFile, `${options.logFile}.1`);
    // A file and no pipe: a child that outlives its parent by a second must still be able to write.
    const log = openSync(options.logFile, 'a', 0o600);
    try {
      const imports = [CLOCK_PRELOAD, ...(options.preloads ?? [])].flatMap((module) => ['--import', module]);
      this.#child = spawn(process.execPath, [...imports, options.module], {
        stdio: ['ignore', options.onOutput === undefined ? log : 'pipe', log, 'ipc'],
        detached: options.ownGroup ?? false,
        env: {
          ...options.environment,
          EVERLEAF_PROCESS_CONFIG: JSON.stringify(options.config),
          EVERLEAF_CLOCK_OFFSET_MS: String(options.clockOffsetMs),
        },
      });
    } finally {
      closeSync(log);
    }
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => options.onOutput?.(text));
    this.#child.on('message', (message) => {
      if (typeof message !== 'object' || message === null) return;
      for (const listener of this.#listeners) listener(message as Message);
    });
    this.exited = new Promise((resolve) => {
      const end = (how: string) => {
        this.#alive = false;
        resolve(how);
      };
      this.#child.once('error', (error) => end(`not started: ${error.message}`));
      this.#child.once('exit', (code, signal) =>
        end(signal === null ? `exit code ${code}` : `signal ${signal}`),
      );
    });
  }

  /** Undefined when the system could not start it. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Calls `listener` with every message of the process; returns how to stop that. */
  onMessage(listener: (message: Message) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Sends a message; one to a process that is gone is lost, as its absence shows in `exited`. */
  send(message: Message): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /**
   * Waits for the report that the process is ready.
   * @returns its info
   * @throws Error with the child's own sentence (its stack goes to the log), or with how it ended
   */
  ready(): Promise<Record<string, unknown>> {
    return this.#answer((message) => {
      if (message.type === 'failed') throw this.#failure(String(message['message']));
      return message.type === 'ready' ? (message['info'] as Record<string, unknown>) : undefined;
    });
  }

  /** Moves the process's clock and waits until it says so. @throws Error when it ends instead */
  async setClock(offsetMs: number): Promise<void> {
    const moved = this.#answer((message) =>
      message.type === 'clock-set' && message['offsetMs'] === offsetMs ? true : undefined,
    );
    this.send({ type: 'clock', offsetMs });
    await moved;
  }

  /**
   * Asks the process to end and waits for it.
   * @param timeoutMs real milliseconds after which it is killed
   * @returns how it ended; 'killed' when it had to be
   */
  async stop(timeoutMs: number): Promise<string> {
    if (!this.#alive) return this.exited;
    this.send({ type: 'stop' });
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      this.#child.kill('SIGKILL');
    }, timeoutMs);
    const how = await this.exited;
    clearTimeout(timer);
    return killed ? 'killed' : how;
  }

  #failure(stack: string): Error {
    appendFileSync(this.logFile, `${stack}\n`);
    return new Error(`${this.role} could not start: ${stack.split('\n    at ')[0]}`);
  }

  #answer<Value>(pick: (message: Message) => Value | undefined): Promise<Value> {
    return new Promise((resolve, reject) => {
      const forget = this.onMessage((message) => {
        try {
          const value = pick(message);
          if (value === undefined) return;
          forget();
          resolve(value);
        } catch (error) {
          forget();
          reject(error);
        }
      });
      void this.exited.then((how) => {
        forget();
        reject(new Error(`${this.role} ended unexpectedly (${how}).`));
      });
    });
  }
}
