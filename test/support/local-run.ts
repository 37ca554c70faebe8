import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { acquireDirectory, liveClaims } from '../../infra/local/supervisor/claims.mjs';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));

/** How long anything may take before the test is told that it hangs. Nothing is judged by how long it took. */
const DEADLINE_MS = 120_000;
const POLL_MS = 20;

export type Role = 'supervisor' | 'storage' | 'issuer' | 'vault' | 'first-start' | 'functions';

const living = new Set<LocalRun>();
// A test that dies must not leave an environment behind; storage, in a group of its own, ends when its parent is gone.
process.on('exit', () => {
  for (const run of living) void run.killGroup();
});

/**
 * Asks again and again until the answer is not undefined.
 * @param what names the thing that is waited for, for the error
 * @throws Error after two minutes
 */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`Waited ${DEADLINE_MS / 1000} s for ${what}.`);
    await pause(POLL_MS);
  }
}

/** A new state directory; `removeStateDirectory` takes it away. */
export function makeStateDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'everleaf-e2e-'));
}

/** Ends what still runs on a state directory, waits until no process of it is left, and removes it. */
export async function removeStateDirectory(stateDir: string): Promise<void> {
  for (const run of living) if (run.stateDir === stateDir) await run.killGroup();
  (await acquireDirectory(join(stateDir, 'claims'), 'test', { waitMs: DEADLINE_MS }))();
  rmSync(stateDir, { recursive: true, force: true });
}

/** One `npm start` on a state directory, from its first line to its end. */
export class LocalRun {
  readonly stateDir: string;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  /** What it printed so far, on both streams. */
  readonly lines: string[] = [];
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();

  /** @param settings variables of the environment, such as policy numbers */
  constructor(stateDir: string, settings: Readonly<Record<string, string>> = {}) {
    this.stateDir = stateDir;
    const { PATH, HOME, TMPDIR } = process.env;
    // In a process group of its own, as a terminal would start it, so that the whole group can be killed.
    const child = spawn(process.execPath, [join(CHECKOUT, 'infra/local/run.mjs'), 'start'], {
      cwd: CHECKOUT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH,
        HOME,
        ...(TMPDIR === undefined ? {} : { TMPDIR }),
        ...settings,
        EVERLEAF_STATE_DIR: stateDir,
        EVERLEAF_PORT: '0',
        // As npm sets it: the run watches its parent, and ends when this test is gone without a word.
        npm_lifecycle_event: 'start',
      },
    });
    this.#child = child;
    living.add(this);
    this.ended = once(child, 'close').then(() => {
      living.delete(this);
      return child.exitCode ?? child.signalCode ?? 'unknown';
    });
    for (const input of [child.stdout, child.stderr]) {
      createInterface({ input: input as NodeJS.ReadableStream }).on('line', (line) => {
        this.lines.push(line);
        for (const look of this.#watchers) look();
      });
    }
  }

  /**
   * Waits for a line.
   * @throws Error with everything printed when the run ends, or two minutes pass, without it
   */
  line(pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        finish();
        reject(new Error(`${why} without a line ${pattern}. It printed:\n${this.lines.join('\n')}`));
      };
      const timer = setTimeout(() => fail(`${DEADLINE_MS / 1000} s passed`), DEADLINE_MS);
      const finish = () => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const look = () => {
        const found = this.lines.find((line) => pattern.test(line));
        if (found === undefined) return;
        finish();
        resolve(found);
      };
      this.#watchers.add(look);
      void this.ended.then((how) => fail(`The run ended (${how})`));
      look();
    });
  }

  /** Waits until a process of the run lives; the claims in the state directory name them all. */
  pid(role: Role): Promise<number> {
    return until(`the ${role} process`, () => {
      const found = liveClaims(join(this.stateDir, 'claims')).find((claim) => claim.role === role);
      return found?.pid;
    });
  }

  /** Asks the run to stop, as Ctrl-C does, and waits for its end. */
  async stop(): Promise<number | string> {
    this.#child.kill('SIGTERM');
    return this.ended;
  }

  /** Ends one process with SIGKILL, and waits for what the supervisor makes of it: the end of the run. */
  async kill(role: Role): Promise<number | string> {
    process.kill(await this.pid(role), 'SIGKILL');
    return this.ended;
  }

  /** Ends the whole process group with SIGKILL: npm start, supervisor and everything but storage. */
  async killGroup(): Promise<number | string> {
    signalGroup(this.#child.pid, 'SIGKILL');
    return this.ended;
  }
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Gone already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
