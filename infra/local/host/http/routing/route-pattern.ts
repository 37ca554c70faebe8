import { parseRouteParameter, type RouteParameter } from './route-parameter.ts';

/** One piece of a path segment. */
export type RoutePart = { readonly literal: string } | { readonly parameter: RouteParameter };

export type RouteSegment = readonly RoutePart[];

// ASP.NET Core's words, src/Http/Routing/src/Resources.resx in dotnet/aspnetcore.
const INCOMPLETE =
  "There is an incomplete parameter in the route template. Check that each '{' character has a matching '}' character.";
const UNESCAPED = "In a route parameter, '{' and '}' must be escaped with '{{' and '}}'.";
const CONSECUTIVE_SEPARATORS =
  "The route template separator character '/' cannot appear consecutively. It must be separated by either a parameter or a literal value.";

/**
 * Takes a route template apart as ASP.NET Core does (RoutePatternParser.cs in src/Http/Routing/src/Patterns of
 * dotnet/aspnetcore): segments of text and parameters, `{{` and `}}` for braces.
 * https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-templates
 * @throws Error in ASP.NET Core's words
 */
export function parseRoutePattern(template: string): RouteSegment[] {
  const text = trimPrefix(template);
  const segments: RouteSegment[] = [];
  const names = new Set<string>();
  let at = 0;
  while (at < text.length) {
    if (text[at] === '/') throw new Error(CONSECUTIVE_SEPARATORS);
    const parts: RoutePart[] = [];
    while (at < text.length && text[at] !== '/') {
      const isParameter = text[at] === '{' && text[at + 1] !== '{';
      const end = isParameter ? parameterEnd(text, at) : literalEnd(text, at);
      const raw = unescapeBraces(text.slice(isParameter ? at + 1 : at, isParameter ? end - 1 : end));
      parts.push(isParameter ? { parameter: toParameter(raw, names) } : { literal: toLiteral(raw) });
      at = end;
    }
    verifySegment(parts);
    segments.push(parts);
    at += 1;
  }
  verifyCatchAllIsLast(segments);
  return segments;
}

function trimPrefix(template: string): string {
  if (template.startsWith('~/')) return template.slice(2);
  if (template.startsWith('/')) return template.slice(1);
  if (template.startsWith('~')) {
    throw new Error("The route template cannot start with a '~' character unless followed by a '/'.");
  }
  return template;
}

/** Where the parameter that begins at `start` is over. */
function parameterEnd(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length) {
    if (text[at] === '{') {
      if (at + 1 >= text.length) throw new Error(INCOMPLETE);
      if (text[at + 1] !== '{') throw new Error(UNESCAPED);
      at += 2;
    } else if (text[at] === '}') {
      if (text[at + 1] !== '}') return at + 1;
      at += 2;
    } else at += 1;
  }
  throw new Error(INCOMPLETE);
}

/** Where the text that begins at `start` is over: at a separator, a parameter, or the end. */
function literalEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== '/') {
    const character = text[at];
    if (character === '{' || character === '}') {
      const isEscaped = text[at + 1] === character;
      if (!isEscaped && (character === '}' || at + 1 >= text.length)) throw new Error(INCOMPLETE);
      if (!isEscaped) return at;
      at += 2;
    } else at += 1;
  }
  return at;
}

function unescapeBraces(text: string): string {
  return text.replaceAll('}}', '}').replaceAll('{{', '{');
}

function toLiteral(text: string): string {
  if (text.includes('?')) {
    throw new Error(
      `The literal section '${text}' is invalid. Literal sections cannot contain the '?' character.`,
    );
  }
  return text;
}

function toParameter(text: string, names: Set<string>): RouteParameter {
  if (text.startsWith('*') && text.endsWith('?')) {
    throw new Error('A catch-all parameter cannot be marked optional.');
  }
  const parameter = parseRouteParameter(text);
  const { name } = parameter;
  if (parameter.isOptional && parameter.defaultValue !== undefined) {
    throw new Error('An optional parameter cannot have default value.');
  }
  if (name === '' || /[/{}?*]/.test(name)) {
    throw new Error(
      `The route parameter name '${name}' is invalid. Route parameter names must be non-empty and cannot contain these characters: '{', '}', '/'. The '?' character marks a parameter as optional, and can occur only at the end of the parameter. The '*' character marks a parameter as catch-all, and can occur only at the start of the parameter.`,
    );
  }
  if (names.has(name.toLowerCase())) {
    throw new Error(`The route parameter name '${name}' appears more than one time in the route template.`);
  }
  names.add(name.toLowerCase());
  return parameter;
}

function verifySegment(parts: RouteSegment): void {
  if (parts.length > 1 && parts.some((part) => 'parameter' in part && part.parameter.isCatchAll)) {
    throw new Error(
      'A path segment that contains more than one section, such as a literal section or a parameter, cannot contain a catch-all parameter.',
    );
  }
  parts.forEach((part, at) => {
    if (parts.length === 1 || !('parameter' in part) || !part.parameter.isOptional) return;
    const [before, next] = [parts[at - 1], parts[at + 1]];
    const segment = parts.map(show).join('');
    if (next !== undefined) {
      throw new Error(
        `An optional parameter must be at the end of the segment. In the segment '${segment}', optional parameter '${part.parameter.name}' is followed by '${show(next)}'.`,
      );
    }
    if (before === undefined || !('literal' in before) || before.literal !== '.') {
      throw new Error(
        `In the segment '${segment}', the optional parameter '${part.parameter.name}' is preceded by an invalid segment '${before === undefined ? '' : show(before)}'. Only a period (.) can precede an optional parameter.`,
      );
    }
  });
  if (parts.some((part, at) => 'parameter' in part && at > 0 && 'parameter' in (parts[at - 1] ?? {}))) {
    throw new Error(
      "A path segment cannot contain two consecutive parameters. They must be separated by a '/' or by a literal string.",
    );
  }
}

function verifyCatchAllIsLast(segments: readonly RouteSegment[]): void {
  const isCatchAll = (part: RoutePart) => 'parameter' in part && part.parameter.isCatchAll;
  if (segments.slice(0, -1).some((parts) => parts.some(isCatchAll))) {
    throw new Error('A catch-all parameter can only appear as the last segment of the route template.');
  }
}

function show(part: RoutePart): string {
  if ('literal' in part) return part.literal;
  const { name, isOptional, isCatchAll } = part.parameter;
  return `{${isCatchAll ? '*' : ''}${name}${isOptional ? '?' : ''}}`;
}
