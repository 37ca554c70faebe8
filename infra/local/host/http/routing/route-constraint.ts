import { isDateTime } from './net-date-time.ts';
import { isBoolean, isDecimal, isFloat, isGuid, isSignedInteger, parseInteger } from './net-text.ts';

/** Tells whether a route parameter's text is acceptable; `undefined` is a catch-all that caught nothing. */
export type RouteConstraint = (value: string | undefined) => boolean;

interface ConstraintType {
  /** The name of ASP.NET Core's class, for messages. */
  readonly type: string;
  /** How many arguments it takes. One may hold commas; two are separated by one. */
  readonly takes: readonly number[];
  readonly create: (...args: string[]) => RouteConstraint;
}

const plain = (type: string, isFine: (value: string) => boolean): ConstraintType => ({
  type,
  takes: [0],
  create: () => (value) => value !== undefined && isFine(value),
});

const measured = (
  type: string,
  takes: readonly number[],
  create: (args: bigint[]) => (value: string) => boolean,
): ConstraintType => ({
  type,
  takes,
  create: (...texts) => {
    const isFine = create(texts.map(toWhole));
    return (value) => value !== undefined && isFine(value);
  },
});

/**
 * The constraints that a Functions app can name, which are ASP.NET Core's defaults (RouteOptions in
 * src/Http/Routing/src of dotnet/aspnetcore; meaning:
 * https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints).
 */
const TYPES: Readonly<Record<string, ConstraintType>> = {
  int: plain('IntRouteConstraint', (value) => isSignedInteger(value, 32)),
  long: plain('LongRouteConstraint', (value) => isSignedInteger(value, 64)),
  bool: plain('BoolRouteConstraint', isBoolean),
  decimal: plain('DecimalRouteConstraint', isDecimal),
  double: plain('DoubleRouteConstraint', isFloat),
  float: plain('FloatRouteConstraint', isFloat),
  guid: plain('GuidRouteConstraint', isGuid),
  datetime: plain('DateTimeRouteConstraint', isDateTime),
  alpha: plain('AlphaRouteConstraint', (value) => /^[a-z]*$/i.test(value)),
  required: plain('RequiredRouteConstraint', (value) => value !== ''),
  file: plain('FileNameRouteConstraint', isFileName),
  nonfile: {
    type: 'NonFileNameRouteConstraint',
    takes: [0],
    create: () => (value) => value === undefined || !isFileName(value),
  },
  minlength: measured('MinLengthRouteConstraint', [1], ([min]) => {
    const least = lengthOf(min);
    return (value) => value.length >= least;
  }),
  maxlength: measured('MaxLengthRouteConstraint', [1], ([max]) => {
    const most = lengthOf(max);
    return (value) => value.length <= most;
  }),
  length: measured('LengthRouteConstraint', [1, 2], ([min, max = min]) => {
    const [least, most] = ordered(lengthOf(min), lengthOf(max), ['minLength', 'maxLength']);
    return (value) => value.length >= least && value.length <= most;
  }),
  min: measured(
    'MinRouteConstraint',
    [1],
    ([min = 0n]) =>
      (value) =>
        (parseInt64(value) ?? min - 1n) >= min,
  ),
  max: measured(
    'MaxRouteConstraint',
    [1],
    ([max = 0n]) =>
      (value) =>
        (parseInt64(value) ?? max + 1n) <= max,
  ),
  range: measured('RangeRouteConstraint', [2], ([from = 0n, to = 0n]) => {
    const [min, max] = ordered(from, to, ['min', 'max']);
    return (value) => {
      const number = parseInt64(value);
      return number !== undefined && number >= min && number <= max;
    };
  }),
  regex: {
    type: 'RegexInlineRouteConstraint',
    takes: [1],
    create: (pattern) => {
      // .NET's and JavaScript's expressions agree in all that a route usually says; what JavaScript cannot read throws.
      const expression = new RegExp(pattern, 'i');
      return (value) => value !== undefined && expression.test(value);
    },
  },
};

/**
 * Makes the test that an inline constraint stands for, such as `int` or `range(1,9)`.
 * @param text as it stands in the template, without the colon, braces unescaped
 * @throws Error in ASP.NET Core's words for a constraint that does not exist or whose arguments do not fit
 */
export function toConstraint(text: string, parameter: string, template: string): RouteConstraint {
  const [, name = '', , argument] = /^([^(]*)(\(([\s\S]*)\))?$/.exec(text) ?? [];
  const known = TYPES[name.toLowerCase()];
  if (known === undefined || !Object.hasOwn(TYPES, name.toLowerCase())) {
    throw new Error(
      `The constraint entry '${parameter}' - '${text}' on the route '${template}' could not be resolved by the constraint resolver of type 'DefaultInlineConstraintResolver'.`,
    );
  }
  let args = argument === undefined ? [] : [argument];
  // A regular expression may hold commas, so only types that can take two arguments split at them.
  if (argument !== undefined && known.takes.includes(2)) args = argument.split(',').map((one) => one.trim());
  if (!known.takes.includes(args.length)) {
    throw new Error(
      `Could not find a constructor for constraint type '${known.type}' with the following number of parameters: ${args.length}.`,
    );
  }
  try {
    return known.create(...args);
  } catch (cause) {
    throw new Error(`Route constraint "${text}" of parameter "${parameter}": ${(cause as Error).message}`, {
      cause,
    });
  }
}

function parseInt64(text: string): bigint | undefined {
  return isSignedInteger(text, 64) ? parseInteger(text) : undefined;
}

function toWhole(text: string): bigint {
  const value = parseInt64(text);
  if (value === undefined) throw new Error(`The input string '${text}' was not in a correct format.`);
  return value;
}

function lengthOf(value: bigint | undefined): number {
  if (value === undefined || value < 0n) throw new Error('Value must be greater than or equal to 0.');
  return Number(value);
}

function ordered<Value extends number | bigint>(
  min: Value,
  max: Value,
  names: [string, string],
): [min: Value, max: Value] {
  if (min > max) {
    throw new Error(
      `The value for argument '${names[0]}' should be less than or equal to the value for the argument '${names[1]}'.`,
    );
  }
  return [min, max];
}

/** A last segment with a dot and something behind it. */
function isFileName(value: string): boolean {
  return /\.[^/]*[^./][^/]*$/.test(value.slice(value.lastIndexOf('/') + 1));
}
