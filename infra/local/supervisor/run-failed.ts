/** A run that failed: the message says what happened and what to do, the log file more. */
export class RunFailed extends Error {
  readonly logFile: string | null;
  constructor(message: string, logFile: string | null, cause?: unknown) {
    super(message, { cause });
    this.logFile = logFile;
  }
}
