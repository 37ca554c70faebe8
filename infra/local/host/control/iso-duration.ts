const UNITS_MS = { W: 604_800_000, D: 86_400_000, H: 3_600_000, M: 60_000, S: 1000 };

/**
 * Reads an ISO 8601 duration of weeks, days, hours, minutes and seconds, whole numbers only, such as `P60D` or
 * `P1DT12H` (ISO 8601-1:2019, 5.5.2).
 * @returns milliseconds, 0 or more
 * @throws RangeError saying what is wrong; years and months are refused because they have no fixed length
 */
export function parseIsoDuration(text: string): number {
  if (/^[-+]/.test(text)) throw new RangeError(`"${text}" has a sign: the clock only goes forward.`);
  const match = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/.exec(
    text,
  );
  const parts = match?.slice(1) ?? [];
  if (match === null || parts.every((part) => part === undefined) || text.endsWith('T')) {
    throw new RangeError(`"${text}" is not an ISO 8601 duration such as P60D or PT15M, with whole numbers.`);
  }
  const [years, months, weeks, days, hours, minutes, seconds] = parts;
  if (years !== undefined || months !== undefined) {
    throw new RangeError(`"${text}" has years or months, which have no fixed length: say it in days.`);
  }
  const ms =
    Number(weeks ?? 0) * UNITS_MS.W +
    Number(days ?? 0) * UNITS_MS.D +
    Number(hours ?? 0) * UNITS_MS.H +
    Number(minutes ?? 0) * UNITS_MS.M +
    Number(seconds ?? 0) * UNITS_MS.S;
  if (!Number.isSafeInteger(ms)) throw new RangeError(`"${text}" is too long.`);
  return ms;
}
