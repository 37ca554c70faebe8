/**
 * A wrapper for values that must never be printed. Whatever turns it into text, JSON or a log line gets `[secret]`;
 * only `reveal` gives the value, so that every place that does so can be found.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  /** What Node's util.inspect and console.log ask for; Symbol.for, because domain code imports nothing of Node. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
