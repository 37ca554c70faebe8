import type { ErrorDetails } from '../domain/errors.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * Where a use case tells what it does.
 * 1. Never throws and never waits. 2. Details never hold a secret; the caller sees to that.
 */
export interface Log {
  write(level: LogLevel, message: string, details?: ErrorDetails): void;
}
