/** A length of time as .NET writes it: `00:01:30`, `1.00:00:00`, `00:00:00.5000000`. */
export function formatTimeSpan(ms: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  const seconds = Math.floor(ms / 1000);
  const fraction = Math.round((ms - seconds * 1000) * 10_000);
  const days = Math.floor(seconds / 86_400);
  return [
    days === 0 ? '' : `${days}.`,
    `${two((seconds / 3600) % 24)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`,
    fraction === 0 ? '' : `.${String(fraction).padStart(7, '0')}`,
  ].join('');
}

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
