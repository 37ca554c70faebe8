import { EverleafError } from '../domain/errors.ts';
import { invalidReasonOf } from './invalid.ts';

/** Collects what a lint finds, so that one run names every mistake. */
export class Findings {
  readonly #found: string[] = [];

  /** Notes the finding unless the statement holds. */
  expect(holds: boolean, finding: string): void {
    if (!holds) this.#found.push(finding);
  }

  /**
   * Reads a part of the certificate; what cannot be read is a finding and null.
   * @param part names it, as the subject of the finding.
   */
  read<Value>(part: string, read: () => Value): Value | null {
    try {
      return read();
    } catch (error) {
      if (invalidReasonOf(error) === null) throw error;
      this.#found.push(`${part}: ${(error as Error).message}`);
      return null;
    }
  }

  /**
   * @param certificate what was linted, for the sentence.
   * @throws EverleafError LintFailed with all findings, when there are any.
   */
  throwIfAny(certificate: string): void {
    if (this.#found.length === 0) return;
    throw new EverleafError('LintFailed', `Cannot sign ${certificate}: ${this.#found.join('; ')}.`, {
      details: { findings: this.#found.join('\n'), count: this.#found.length },
    });
  }
}

/** Whether two byte strings are the same. */
export function sameBytes(one: Uint8Array | null | undefined, other: Uint8Array | null | undefined): boolean {
  if (one === null || one === undefined || other === null || other === undefined) return false;
  return Buffer.compare(one, other) === 0;
}

/** Whether two lists hold the same texts, each once, in any order. */
export function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  const sorted = (texts: readonly string[]) => [...texts].sort();
  const [left, right] = [sorted(one), sorted(other)];
  const isUnique = new Set(one).size === one.length;
  return isUnique && left.length === right.length && left.every((text, index) => text === right[index]);
}
