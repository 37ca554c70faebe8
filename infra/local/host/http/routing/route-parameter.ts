/** What stands between the braces of a route parameter. */
export interface RouteParameter {
  readonly name: string;
  readonly isOptional: boolean;
  readonly isCatchAll: boolean;
  readonly defaultValue: string | undefined;
  /** As they stand in the template, in order. */
  readonly constraints: readonly string[];
}

/**
 * Reads `*name:constraint:constraint=default?`, where only the name must be there (RouteParameterParser.cs in
 * src/Http/Routing/src/Patterns of dotnet/aspnetcore). A name may begin with `:` or `=`.
 * @param text without the outer braces, inner ones unescaped
 */
export function parseRouteParameter(text: string): RouteParameter {
  const stars = /^\*{0,2}/.exec(text)?.[0].length ?? 0;
  const isOptional = text.length > stars && text.endsWith('?');
  const rest = text.slice(stars, isOptional ? -1 : undefined);
  const nameEnd = /.[^:=]*/s.exec(rest)?.[0].length ?? 0;
  const { constraints, defaultValue } = parseTail(rest.slice(nameEnd));
  return {
    name: rest.slice(0, nameEnd),
    isOptional,
    isCatchAll: stars > 0 && !isOptional,
    defaultValue,
    constraints,
  };
}

function parseTail(tail: string): Pick<RouteParameter, 'constraints' | 'defaultValue'> {
  const constraints: string[] = [];
  let at = 0;
  while (tail[at] === ':') {
    const end = constraintEnd(tail, at + 1);
    constraints.push(tail.slice(at + 1, end));
    at = end;
  }
  return {
    constraints: constraints.filter((constraint) => constraint !== ''),
    defaultValue: tail[at] === '=' ? tail.slice(at + 1) : undefined,
  };
}

/** A parenthesis closes at the end of the text, or before the next constraint or the default value. */
function constraintEnd(text: string, start: number): number {
  const open = text.indexOf('(', start);
  const delimiter = text.slice(start).search(/[:=]/);
  const plainEnd = delimiter === -1 ? text.length : start + delimiter;
  if (open === -1 || open > plainEnd) return plainEnd;
  for (let at = text.indexOf(')', open); at !== -1; at = text.indexOf(')', at + 1)) {
    const next = text[at + 1];
    if (next === undefined || next === ':' || next === '=') return at + 1;
  }
  return plainEnd;
}
