import type { LogLevel } from './core/core-types.ts';
import type { WorkerLog } from './core/function-app.ts';

const RANK: Record<LogLevel, number> = {
  trace: 0,
  debug: 1,
  information: 2,
  warning: 3,
  error: 4,
  critical: 5,
  none: 6,
};

const LABEL: Record<LogLevel, string> = {
  trace: 'trce',
  debug: 'dbug',
  information: 'info',
  warning: 'warn',
  error: 'fail',
  critical: 'crit',
  none: '',
};

/** Takes one finished line; warnings and worse usually go to standard error. */
export type LogSink = (level: LogLevel, line: string) => void;

/** Prints lines to the process's own standard output and error. */
export const printLine: LogSink = (level, line) => {
  (RANK[level] >= RANK.warning ? process.stderr : process.stdout).write(`${line}\n`);
};

/**
 * The host's log, filtered by `logging.logLevel` of host.json: the longest category that begins a line's own category
 * decides, else `default`, else Information. Categories are the real host's: `Function.<name>` for its lines on an
 * invocation, `Function.<name>.User` for the function's own, `Host` for the rest.
 * https://learn.microsoft.com/azure/azure-functions/configure-monitoring#configure-categories
 */
export class HostLog {
  readonly #levels: Readonly<Record<string, LogLevel>>;
  readonly #sink: LogSink;

  constructor(levels: Readonly<Record<string, LogLevel>>, sink: LogSink) {
    this.#levels = levels;
    this.#sink = sink;
  }

  host(level: LogLevel, message: string): void {
    this.#write(level, 'Host', message);
  }

  /** The host's own line on an invocation or on a function's trigger. */
  function(level: LogLevel, functionName: string, message: string): void {
    this.#write(level, `Function.${functionName}`, message);
  }

  /** A line that came from the worker: the app's own, or the library's. */
  worker(log: WorkerLog): void {
    if (log.category === 'customMetric') return;
    const of = log.functionName === undefined ? 'Host' : `Function.${log.functionName}`;
    const category = log.category === 'user' && log.functionName !== undefined ? `${of}.User` : of;
    const id = log.invocationId === undefined ? '' : `[${log.invocationId.slice(0, 8)}] `;
    this.#write(log.level, category, `${id}${log.message}`);
  }

  #write(level: LogLevel, category: string, message: string): void {
    if (level === 'none' || RANK[level] < RANK[this.#lowest(category)]) return;
    this.#sink(level, `${new Date().toISOString()} ${LABEL[level]} ${category}: ${message}`);
  }

  #lowest(category: string): LogLevel {
    let best = 'default';
    for (const name of Object.keys(this.#levels)) {
      if (name === 'default') continue;
      const isPart = category === name || category.startsWith(`${name}.`);
      if (isPart && (best === 'default' || name.length > best.length)) best = name;
    }
    return this.#levels[best] ?? 'information';
  }
}
