/**
 * The processes of one environment: started in order, stopped in the reverse order, moved through time together. What
 * they are is the caller's business (roles.ts).
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { addClaim } from './claims.mjs';
import { LocalProcess, type LocalProcessOptions } from './local-process.ts';

/** What is known of a process before it is started. */
export type ProcessDefinition = Omit<LocalProcessOptions, 'clockOffsetMs' | 'logFile'> & {
  /** Real milliseconds that it may take to end before it is killed. */
  readonly stopTimeoutMs: number;
};

export interface UnexpectedEnd {
  readonly role: string;
  readonly how: string;
  readonly logFile: string;
}

export class ProcessGroup {
  readonly #logDirectory: string;
  readonly #claimDirectory: string;
  readonly #members: { process: LocalProcess; stopTimeoutMs: number }[] = [];
  /** Resolves with the first process that ended without being asked to. */
  readonly firstDeath: Promise<UnexpectedEnd>;
  #reportDeath: (end: UnexpectedEnd) => void = () => undefined;
  #clockOffsetMs: number;
  #stopping: Promise<string[]> | undefined;

  /**
   * @param options logDirectory, and claimDirectory where every process gets a claim as long as it lives (claims.mjs);
   * both are created when missing
   */
  constructor(options: { logDirectory: string; claimDirectory: string; clockOffsetMs: number }) {
    this.#logDirectory = options.logDirectory;
    this.#claimDirectory = options.claimDirectory;
    this.#clockOffsetMs = options.clockOffsetMs;
    this.firstDeath = new Promise((resolve) => {
      this.#reportDeath = resolve;
    });
    mkdirSync(this.#logDirectory, { recursive: true, mode: 0o700 });
    mkdirSync(this.#claimDirectory, { recursive: true, mode: 0o700 });
  }

  /** The living processes, in the order of their start. */
  get members(): { role: string; pid: number }[] {
    return this.#members
      .filter(({ process }) => process.alive)
      .map(({ process }) => ({ role: process.role, pid: process.pid ?? 0 }));
  }

  /**
   * Starts a process and waits until it is ready.
   * @returns the process, and the info it reported
   * @throws Error when it does not come up, or when the group is being stopped
   */
  async start(
    definition: ProcessDefinition,
  ): Promise<{ process: LocalProcess; info: Record<string, unknown> }> {
    const process = this.#spawn(definition);
    void process.exited.then((how) => {
      if (this.#stopping !== undefined) return;
      this.#reportDeath({ role: process.role, how, logFile: process.logFile });
    });
    return { process, info: await process.ready() };
  }

  /**
   * Runs a process that does its work and ends. It is stopped with the others when the group is.
   * @returns how it ended, "exit code 0" when all went well
   */
  async run(definition: ProcessDefinition): Promise<{ how: string; logFile: string }> {
    const process = this.#spawn(definition);
    return { how: await process.exited, logFile: process.logFile };
  }

  /**
   * Moves every process to a new offset, one after the other in the order of their start: what answers is in the new time
   * before what asks.
   */
  async setClock(offsetMs: number): Promise<void> {
    this.#clockOffsetMs = offsetMs;
    for (const { process } of this.#members) if (process.alive) await process.setClock(offsetMs);
  }

  /**
   * Stops all, last started first; the next one only when the one before is gone. Safe to call again while it works.
   * @returns a sentence for each process that did not end well
   */
  stop(): Promise<string[]> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  #spawn(definition: ProcessDefinition): LocalProcess {
    if (this.#stopping !== undefined) throw new Error(`${definition.role} was not started: stopping.`);
    const process = new LocalProcess({
      ...definition,
      clockOffsetMs: this.#clockOffsetMs,
      logFile: join(this.#logDirectory, `${definition.role}.log`),
    });
    if (process.pid !== undefined) {
      void process.exited.then(addClaim(this.#claimDirectory, definition.role, process.pid));
    }
    this.#members.push({ process, stopTimeoutMs: definition.stopTimeoutMs });
    return process;
  }

  async #stopAll(): Promise<string[]> {
    const complaints: string[] = [];
    for (const { process, stopTimeoutMs } of this.#members.toReversed()) {
      const wasAlive = process.alive;
      const how = await process.stop(stopTimeoutMs);
      if (!wasAlive || how === 'exit code 0') continue;
      complaints.push(
        how === 'killed'
          ? `${process.role} did not end within ${stopTimeoutMs / 1000} s and was killed; see ${process.logFile}.`
          : `${process.role} ended with ${how}; see ${process.logFile}.`,
      );
    }
    return complaints;
  }
}
