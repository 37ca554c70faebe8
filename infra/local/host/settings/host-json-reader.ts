import { LOG_LEVELS, type LogLevel } from '../core/core-types.ts';
import { parseTimeSpan } from './time-span.ts';

interface Range {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

/** One object of host.json and where it stands; each method reads one member or says what is wrong with it. */
export class HostJsonReader {
  readonly #where: string;
  readonly #members: Record<string, unknown>;

  /** @throws Error when `value` is there and not an object */
  constructor(where: string, value: unknown) {
    this.#where = where;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new Error(`${where} must be an object, but is ${show(value)}.`);
    }
    this.#members = value as Record<string, unknown>;
  }

  /** A member object; an absent one reads as an empty one. */
  section(name: string): HostJsonReader {
    return new HostJsonReader(this.#path(name), this.#members[name] ?? {});
  }

  text(name: string, byDefault: string): string {
    const value = this.#members[name] ?? byDefault;
    if (typeof value !== 'string') throw this.#wrong(name, 'a string');
    return value;
  }

  integer(name: string, range: Range): number {
    const value = this.#members[name] ?? range.default;
    if (!Number.isInteger(value) || (value as number) < range.min || (value as number) > range.max) {
      throw this.#wrong(name, `a whole number from ${range.min} to ${range.max}`);
    }
    return value as number;
  }

  /** One of a few words, in any case; without a default it must be there. */
  choice<Word extends string>(name: string, words: readonly Word[], byDefault?: Word): Word {
    const value = this.#members[name] ?? byDefault;
    const found = words.find((word) => word === String(value).toLowerCase());
    if (found === undefined) throw this.#wrong(name, words.map((word) => `"${word}"`).join(' or '));
    return found;
  }

  /** A .NET TimeSpan such as "00:01:00", in milliseconds; the range is in milliseconds as well. */
  timeSpan(name: string, range: Range): number {
    const value = this.#members[name];
    if (value === undefined) return range.default;
    const ms = typeof value === 'string' ? parseTimeSpan(value) : undefined;
    if (ms === undefined || ms < range.min || ms > range.max) {
      throw this.#wrong(name, `a time span "hh:mm:ss" of ${range.min / 1000} to ${range.max / 1000} seconds`);
    }
    return ms;
  }

  isMinusOne(name: string): boolean {
    return this.#members[name] === '-1' || this.#members[name] === -1;
  }

  /** Log categories and their lowest level, for example `{ "default": "Information" }`. */
  logLevels(name: string): Record<string, LogLevel> {
    const section = this.section(name);
    return Object.fromEntries(
      Object.keys(section.#members).map((category) => [category, section.choice(category, LOG_LEVELS)]),
    );
  }

  #path(name: string): string {
    return this.#where.endsWith('.json') ? `${this.#where}: ${name}` : `${this.#where}.${name}`;
  }

  #wrong(name: string, expected: string): Error {
    return new Error(`${this.#path(name)} must be ${expected}, but is ${show(this.#members[name])}.`);
  }
}

function show(value: unknown): string {
  return value === undefined ? 'missing' : JSON.stringify(value);
}
