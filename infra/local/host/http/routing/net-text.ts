/**
 * Which texts .NET takes for a number, a truth value or a GUID, in the invariant culture and with the styles that
 * ASP.NET Core's route constraints use (src/Http/Routing/src/Constraints in dotnet/aspnetcore).
 */
const WHITE = '[\\t-\\r ]*';

const INTEGER = new RegExp(`^${WHITE}([-+]?\\d+)${WHITE}$`);
const NUMBER = new RegExp(`^${WHITE}(?:[-+]?(\\d[\\d,]*)?(\\.\\d*)?|(\\d[\\d,]*)?(\\.\\d*)?[-+]?)${WHITE}$`);
const FLOAT = new RegExp(
  `^${WHITE}[-+]?(?:(?:\\d[\\d,]*(?:\\.\\d*)?|\\.\\d+)(?:e[-+]?\\d+)?|infinity|nan)${WHITE}$`,
  'i',
);

// decimal.MaxValue, https://learn.microsoft.com/dotnet/api/system.decimal.maxvalue
const DECIMAL_MAX = 79_228_162_514_264_337_593_543_950_335n;

/** NumberStyles.Integer: white space around, a sign in front. @returns undefined for anything else */
export function parseInteger(text: string): bigint | undefined {
  const digits = INTEGER.exec(text)?.[1];
  return digits === undefined ? undefined : BigInt(digits.replace('+', ''));
}

/** @param bits 32 or 64 */
export function isSignedInteger(text: string, bits: number): boolean {
  const value = parseInteger(text);
  return value !== undefined && BigInt.asIntN(bits, value) === value;
}

/** NumberStyles.Number: a sign in front or behind, thousands separated by commas, a decimal point. */
export function isDecimal(text: string): boolean {
  const match = NUMBER.exec(text);
  if (match === null) return false;
  const whole = match[1] ?? match[3] ?? '';
  const fraction = match[2] ?? match[4] ?? '';
  if (!/\d/.test(whole + fraction)) return false;
  return BigInt(whole.replaceAll(',', '') || '0') <= DECIMAL_MAX;
}

/** NumberStyles.Float and thousands: what double and float take; too large is infinite and no mistake. */
export function isFloat(text: string): boolean {
  return FLOAT.test(text);
}

export function isBoolean(text: string): boolean {
  return /^[\s\0]*(?:true|false)[\s\0]*$/i.test(text);
}

const HEX_STRUCTURE =
  /^\{0x[0-9a-f]{1,8},0x[0-9a-f]{1,4},0x[0-9a-f]{1,4},\{(?:0x[0-9a-f]{1,2},){7}0x[0-9a-f]{1,2}\}\}$/i;

/** The formats N, D, B, P and X of https://learn.microsoft.com/dotnet/api/system.guid.tryparse. */
export function isGuid(text: string): boolean {
  const trimmed = text.trim();
  const bare = /^\{.*\}$|^\(.*\)$/.test(trimmed) ? trimmed.slice(1, -1) : undefined;
  const withHyphens = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
  return withHyphens.test(bare ?? trimmed) || /^[0-9a-f]{32}$/i.test(trimmed) || HEX_STRUCTURE.test(trimmed);
}
