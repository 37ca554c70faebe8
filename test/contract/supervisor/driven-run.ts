/** A supervisor in a process group of its own, as `npm start` has one, for a checkout of our own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Command } from '../../../infra/local/supervisor/command.ts';

const SUPERVISOR = new URL('../../../infra/local/supervisor/', import.meta.url);
const moduleOf = (name: string) => JSON.stringify(new URL(name, SUPERVISOR).href);

// What main.ts does, but for the checkout given.
const DRIVER = `
import { installShiftedDate } from ${moduleOf('../clock/shifted-date.ts')};
import { runEnvironment } from ${moduleOf('environment.ts')};
import { readSupervisorSettings } from ${moduleOf('settings.ts')};
installShiftedDate();
const controller = new AbortController();
process.on('SIGTERM', () => controller.abort());
try {
  const complaints = await runEnvironment({
    command: process.argv[3],
    settings: readSupervisorSettings(process.env, process.cwd()),
    checkout: process.argv[2],
    say: (line) => console.log(line),
    onReady: ({ baseUrl }) => console.log('ready ' + baseUrl),
    stop: controller.signal,
  });
  for (const complaint of complaints) console.log('complaint ' + complaint);
  process.exit(complaints.length);
} catch (error) {
  console.log('failed ' + error.message);
  process.exit(1);
}`;

export class DrivenRun {
  readonly pid: number;
  /** The lines printed so far. */
  readonly seen: string[] = [];
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #closed: Promise<unknown>;

  constructor(checkout: string, stateDir: string, command: Command = 'start') {
    const driver = join(checkout, 'driver.ts');
    writeFileSync(driver, DRIVER);
    this.#child = spawn(process.execPath, [driver, checkout, command], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        PATH: process.env['PATH'],
        EVERLEAF_STATE_DIR: stateDir,
        EVERLEAF_PORT: '0',
        TOKEN_VALIDITY_DAYS: '7',
      },
    });
    this.pid = this.#child.pid ?? 0;
    this.#lines = createInterface(this.#child.stdout as NodeJS.ReadableStream);
    this.#lines.on('line', (line) => this.seen.push(line));
    this.#closed = once(this.#child, 'close');
  }

  /** The first line that matches; waits for it. */
  async line(pattern: RegExp): Promise<string> {
    const ended = once(this.#lines, 'close');
    for (;;) {
      const found = this.seen.find((text) => pattern.test(text));
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null)
        throw new Error(`no line ${pattern} in:\n${this.seen.join('\n')}`);
      await Promise.race([once(this.#lines, 'line'), ended]);
    }
  }

  /** Exit code, or the name of the signal that ended it. */
  async exited(): Promise<number | string> {
    await this.#closed;
    return this.#child.exitCode ?? this.#child.signalCode ?? '';
  }

  stop(): Promise<number | string> {
    this.#child.kill('SIGTERM');
    return this.exited();
  }

  /** Kills the whole process group. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) process.kill(-this.pid, 'SIGKILL');
    await this.exited();
  }
}
