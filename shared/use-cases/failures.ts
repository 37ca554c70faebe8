import { EverleafError, errorCodeOf } from '../domain/errors.ts';
import type { Run } from './deps.ts';

/**
 * For work in several parts, of which one that fails stops no other: the log tells of each failure when it happens, and the
 * run as a whole fails at its end.
 */
export class Failures {
  readonly #run: Run;
  readonly #errors: unknown[] = [];

  constructor(run: Run) {
    this.#run = run;
  }

  get count(): number {
    return this.#errors.length;
  }

  /**
   * @param what goes on after "Could not"
   * @returns null when it has failed
   */
  async attempt<T>(what: string, action: () => Promise<T>): Promise<T | null> {
    try {
      return await action();
    } catch (error) {
      this.note(what, error);
      return null;
    }
  }

  /** @param what goes on after "Could not" */
  note(what: string, error: unknown): void {
    this.#errors.push(error);
    this.#run.log.write('error', `Could not ${what}: ${String(error)}`, { code: errorCodeOf(error) });
  }

  /** @throws the first failure as it was, if there was any */
  throwFirst(): void {
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  /**
   * @param text what the failures come to, with what is done about it
   * @throws EverleafError with the code of the first failure, if there was any; retryable
   */
  throwAs(text: string): void {
    const [first] = this.#errors;
    if (this.#errors.length === 0) return;
    throw new EverleafError(errorCodeOf(first), text, { cause: first, retryable: true });
  }
}
