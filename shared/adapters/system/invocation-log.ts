import type { Log, LogLevel } from '../../ports/log.ts';

/** The part of a Functions invocation context that takes log lines. */
export interface InvocationLogger {
  debug(...args: unknown[]): void;
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
}

/** Writes a use case's lines into the invocation that runs it, tied together by the correlation id. */
export function invocationLog(logger: InvocationLogger, correlationId: string): Log {
  return {
    write: (level: LogLevel, message, details) => {
      const tail = details === undefined ? '' : ` ${JSON.stringify(details)}`;
      logger[level](`${message}${tail} [${correlationId}]`);
    },
  };
}
