/**
 * Reads the form of a .NET TimeSpan that host.json uses: `hh:mm:ss`, `d.hh:mm:ss`, fractions of a second allowed.
 * @returns milliseconds, or undefined for anything else
 * @see https://learn.microsoft.com/dotnet/standard/base-types/standard-timespan-format-strings#the-constant-c-format-specifier
 */
export function parseTimeSpan(text: string): number | undefined {
  const match = /^(?:(\d{1,8})\.)?(\d{1,2}):([0-5]?\d):([0-5]?\d)(?:\.(\d{1,7}))?$/.exec(text);
  if (match === null) return undefined;
  const [days, hours, minutes, seconds] = match.slice(1, 5).map((part) => Number(part ?? 0));
  if (days === undefined || hours === undefined || minutes === undefined || seconds === undefined)
    return undefined;
  if (hours > 23) return undefined;
  const fraction = Number(`0.${match[5] ?? 0}`);
  return ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000 + Math.round(fraction * 1000);
}
