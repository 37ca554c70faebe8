import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../infra/local/host/main.ts', import.meta.url));
const CLOCK_PRELOAD = new URL('../../../infra/local/clock/preload.ts', import.meta.url).href;

/** A functions host in a process of its own, started as the supervisor does it. */
export interface HostProcess {
  readonly process: ChildProcess;
  /** What it has written so far. */
  output(): string;
  /** Resolves when the output has this text. */
  said(text: string): Promise<void>;
  /** Waits for the report that it is ready. */
  ready(): Promise<{ baseUrl: string; functions: string[] }>;
  /** Moves its clock and waits for the acknowledgement. */
  setClock(offsetMs: number): Promise<void>;
  /** Sends a signal and resolves with the exit code, null for an end by the signal. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

export interface HostProcessOptions {
  readonly appDir: string;
  readonly storageConnectionString?: string;
  readonly hostId?: string;
  readonly port?: number;
  readonly offsetMs?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Starts one; the caller ends it. */
export function startHostProcess(options: HostProcessOptions): HostProcess {
  const { offsetMs = 0, settings, ...config } = options;
  const child = fork(MAIN, {
    execArgv: ['--import', CLOCK_PRELOAD],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env['PATH'],
      EVERLEAF_CLOCK_OFFSET_MS: String(offsetMs),
      EVERLEAF_PROCESS_CONFIG: JSON.stringify({
        port: 0,
        masterKey: 'key',
        hostId: 'process-test',
        ...config,
      }),
      ...settings,
    },
  });
  let output = '';
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += String(chunk);
      for (const listener of listeners) listener();
    });
  }
  return {
    process: child,
    output: () => output,
    said: (text) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!output.includes(text)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      }),
    ready: async () => {
      const [message] = (await once(child, 'message')) as [{ type: string; info: never; message?: string }];
      assert.equal(message.type, 'ready', message.message);
      return message.info;
    },
    setClock: async (ms) => {
      const isSet = new Promise<void>((resolve) => {
        const onMessage = (message: { type?: string; offsetMs?: number }) => {
          if (message.type !== 'clock-set' || message.offsetMs !== ms) return;
          child.off('message', onMessage);
          resolve();
        };
        child.on('message', onMessage);
      });
      child.send({ type: 'clock', offsetMs: ms });
      await isSet;
    },
    end: async (signal) => {
      if (child.exitCode === null && child.signalCode === null) {
        const ended = once(child, 'exit');
        child.kill(signal);
        await ended;
      }
      return child.exitCode;
    },
  };
}
