import { type RouteConstraint, toConstraint } from './route-constraint.ts';

interface Parameter {
  readonly name: string;
  readonly isOptional: boolean;
  readonly isCatchAll: boolean;
  readonly constraints: readonly RouteConstraint[];
}

/** A path segment: fixed text around at most one parameter. */
interface Segment {
  readonly before: string;
  readonly parameter: Parameter | undefined;
  readonly after: string;
}

/**
 * A route such as `clusters/{cluster}/identities/{name?}`. Fixed text matches in any case; `{x?}` and `{*rest}` may
 * only stand at the end. The form is ASP.NET Core's, https://learn.microsoft.com/aspnet/core/fundamentals/routing;
 * defaults (`{x=1}`) and several parameters in one segment are refused.
 */
export class RouteTemplate {
  readonly text: string;
  readonly #segments: readonly Segment[];

  /** @throws Error naming `usedBy` and what is not understood */
  constructor(text: string, usedBy: string) {
    this.text = text;
    this.#segments = text
      .split('/')
      .filter((part) => part !== '')
      .map((part) => toSegment(part, usedBy));
    this.#segments.forEach(({ parameter }, at) => {
      const isLast = at === this.#segments.length - 1;
      if (!isLast && (parameter?.isOptional === true || parameter?.isCatchAll === true)) {
        throw new Error(`${usedBy}: route "${text}": {${parameter.name}} must be the last segment.`);
      }
    });
  }

  /**
   * @param path the decoded segments of a request's path
   * @returns the parameters' values, without those that are absent; undefined when the path is not of this form
   */
  match(path: readonly string[]): Record<string, string> | undefined {
    const values: Record<string, string> = {};
    for (const [at, segment] of this.#segments.entries()) {
      const parameter = segment.parameter;
      const actual = parameter?.isCatchAll === true ? path.slice(at).join('/') : path[at];
      if (actual === undefined || (parameter?.isCatchAll === true && actual === '')) {
        if (parameter?.isOptional === true || parameter?.isCatchAll === true) continue;
        return undefined;
      }
      if (!matchSegment(segment, actual, values)) return undefined;
      if (parameter?.isCatchAll === true) return values;
    }
    return path.length <= this.#segments.length ? values : undefined;
  }
}

function matchSegment(segment: Segment, actual: string, values: Record<string, string>): boolean {
  const { before, parameter, after } = segment;
  if (parameter === undefined) return actual.toLowerCase() === before.toLowerCase();
  const value = actual.slice(before.length, actual.length - after.length);
  if (actual.length < before.length + after.length + 1) return false;
  if (!actual.toLowerCase().startsWith(before.toLowerCase())) return false;
  if (!actual.toLowerCase().endsWith(after.toLowerCase())) return false;
  if (!parameter.constraints.every((isFine) => isFine(value))) return false;
  values[parameter.name] = value;
  return true;
}

function toSegment(text: string, usedBy: string): Segment {
  if (!text.includes('{')) {
    if (text.includes('}')) throw new Error(`${usedBy}: route segment "${text}" has a brace too many.`);
    return { before: text, parameter: undefined, after: '' };
  }
  const match = /^([^{}]*)\{(\*{0,2})([A-Za-z_]\w*)((?::[^{}?=]+)*)(\?)?\}([^{}]*)$/.exec(text);
  if (match === null) {
    throw new Error(
      `${usedBy}: route segment "${text}" is not supported by the local functions host: at most one {name}, {name?}, {name:constraint} or {*rest} in a segment.`,
    );
  }
  const [, before = '', stars, name = '', constraints = '', optional, after = ''] = match;
  const parameter = {
    name,
    isOptional: optional !== undefined,
    isCatchAll: stars !== '',
    constraints: constraints
      .split(':')
      .filter((constraint) => constraint !== '')
      .map((constraint) => toConstraint(constraint, usedBy)),
  };
  if ((parameter.isOptional || parameter.isCatchAll) && before + after !== '') {
    throw new Error(
      `${usedBy}: route segment "${text}": an optional parameter must be a segment of its own.`,
    );
  }
  return { before, parameter, after };
}
