import { type RouteConstraint, toConstraint } from './route-constraint.ts';
import type { RouteParameter } from './route-parameter.ts';
import { parseRoutePattern, type RouteSegment } from './route-pattern.ts';

/** What a match found; `undefined` stands for a catch-all that caught nothing. */
type Values = Map<string, string | undefined>;

interface Segment {
  /** Its parameter, when it is nothing else. */
  readonly parameter: RouteParameter | undefined;
  /** Names of its parameters, in the order of the groups of both expressions. */
  readonly names: readonly string[];
  readonly whole: RegExp;
  /** For `{file}.{extension?}`: the text without the dot. */
  readonly withoutEnd: RegExp | undefined;
}

/**
 * A route such as `clusters/{cluster}/identities/{name?}`, matched as ASP.NET Core's router does
 * (RoutePatternMatcher.cs in src/Http/Routing/src of dotnet/aspnetcore): text in any case, several parameters in a
 * segment, defaults, optional parameters, a catch-all at the end.
 */
export class RouteTemplate {
  readonly #segments: readonly Segment[];
  readonly #constraints: readonly (readonly [RouteParameter, readonly RouteConstraint[]])[];

  /** @throws Error naming `usedBy`, with ASP.NET Core's words for what is wrong */
  constructor(text: string, usedBy: string) {
    try {
      const pattern = parseRoutePattern(text);
      this.#segments = pattern.map(toSegment);
      this.#constraints = pattern
        .flatMap(parametersOf)
        .map((parameter) => [
          parameter,
          parameter.constraints.map((constraint) => toConstraint(constraint, parameter.name, text)),
        ]);
    } catch (cause) {
      throw new Error(`${usedBy}: route "${text}": ${(cause as Error).message}`, { cause });
    }
  }

  /**
   * @param path decoded but for encoded slashes, beginning with a slash; one at the end counts for a catch-all only
   * @returns the parameters' values, without those that are absent; undefined when the path is not of this form
   */
  match(path: string): Record<string, string> | undefined {
    const values = this.#matchSegments(path);
    if (values === undefined) return undefined;
    const isFine = this.#constraints.every(([{ name, isOptional }, constraints]) => {
      if (isOptional && !values.has(name)) return true;
      return constraints.every((constraint) => constraint(values.get(name)));
    });
    if (!isFine) return undefined;
    return Object.fromEntries(
      [...values].filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  }

  #matchSegments(path: string): Values | undefined {
    const values: Values = new Map();
    const actual = path.replace(/^\//, '').replace(/\/$/, '').split('/');
    if (actual.length === 1 && actual[0] === '') actual.pop();
    for (const [at, segment] of this.#segments.entries()) {
      const { parameter } = segment;
      if (parameter?.isCatchAll === true) {
        // Up to the end of the path, a slash there included.
        const caught = path
          .split('/')
          .slice(at + 1)
          .join('/');
        values.set(parameter.name, caught === '' ? parameter.defaultValue : caught);
        return actual[at] === '' ? undefined : values;
      }
      const text = actual[at];
      if (text === undefined) {
        if (parameter === undefined) return undefined;
        if (parameter.defaultValue !== undefined) values.set(parameter.name, parameter.defaultValue);
        else if (!parameter.isOptional) return undefined;
      } else if (text === '' || !matchSegment(segment, text, values)) return undefined;
    }
    return actual.length <= this.#segments.length ? values : undefined;
  }
}

function parametersOf(segment: RouteSegment): RouteParameter[] {
  return segment.flatMap((part) => ('parameter' in part ? [part.parameter] : []));
}

function toSegment(parts: RouteSegment): Segment {
  const parameters = parametersOf(parts);
  const hasOptionalEnd = parts.length > 1 && parameters.at(-1)?.isOptional === true;
  return {
    parameter: parts.length === 1 ? parameters[0] : undefined,
    names: parameters.map(({ name }) => name),
    whole: toExpression(parts),
    withoutEnd: hasOptionalEnd ? toExpression(parts.slice(0, -2)) : undefined,
  };
}

/** Of several parameters in a segment those on the left take as much as they can, as in ASP.NET Core. */
function toExpression(parts: RouteSegment): RegExp {
  const source = parts
    .map((part) => ('parameter' in part ? '(.+)' : part.literal.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')))
    .join('');
  return new RegExp(`^${source}$`, 'is');
}

function matchSegment({ names, whole, withoutEnd }: Segment, text: string, values: Values): boolean {
  const match = whole.exec(text) ?? withoutEnd?.exec(text);
  if (match === null || match === undefined) return false;
  names.forEach((name, index) => {
    const value = match[index + 1];
    if (value !== undefined) values.set(name, value);
  });
  return true;
}
