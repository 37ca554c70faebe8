/**
 * The worker's own errors carry this mark so that its telemetry can tell them from the app's, and the library
 * looks for it (src/errors.ts in azure-functions-nodejs-worker, src/hooks/registerHook.ts in the library).
 */
export class CoreError extends Error {
  readonly isAzureFunctionsSystemError = true;
}

export class CoreRangeError extends RangeError {
  readonly isAzureFunctionsSystemError = true;
}

export class ReadOnlyError extends TypeError {
  readonly isAzureFunctionsSystemError = true;
  constructor(propertyName: string) {
    super(`Cannot assign to read only property '${propertyName}'`);
  }
}

/** The message of whatever was thrown; JavaScript lets code throw anything, undefined included. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  if (thrown === undefined || thrown === null) return 'Unknown error';
  return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown));
}

/** The stack of whatever was thrown, for the log. */
export function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown);
}
