const MONTHS = [
  ['january', 'february', 'march', 'april', 'may', 'june'],
  ['july', 'august', 'september', 'october', 'november', 'december'],
].flat();

const TIME =
  /^(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:\.\d{1,7})?)?(?<half> ?[ap]m)?(?: ?(?:z|gmt|[-+](?<zoneHour>\d{2}):?(?<zoneMinute>\d{2})))?$/i;

const DATES: readonly RegExp[] = [
  /^(?<year>\d{4})[-/.](?<month>\d{1,2})[-/.](?<day>\d{1,2})$/,
  /^(?<month>\d{1,2})[-/.](?<day>\d{1,2})[-/.](?<year>\d{4})$/,
  /^(?<day>\d{1,2})[- ](?<name>[a-z]{3,9})[- ](?<year>\d{4})$/i,
  /^(?<name>[a-z]{3,9}) (?<day>\d{1,2}),? (?<year>\d{4})$/i,
];

/**
 * Tells whether the text is a date, a time or both, as DateTime.TryParse reads it in the invariant culture. .NET takes
 * many more forms; here it is year-month-day, month/day/year and dates with the month's English name, and times with
 * seconds, fractions, AM or PM and a zone as they come. What .NET takes beyond is no match here, never the other way.
 * https://learn.microsoft.com/dotnet/api/system.datetime.tryparse
 */
export function isDateTime(text: string): boolean {
  const trimmed = text.trim();
  if (isTime(trimmed) || isDate(trimmed)) return true;
  for (const { index } of trimmed.matchAll(/[T ]/g)) {
    if (isDate(trimmed.slice(0, index)) && isTime(trimmed.slice(index + 1).trim())) return true;
  }
  return false;
}

function isDate(text: string): boolean {
  for (const form of DATES) {
    const found = form.exec(text)?.groups;
    if (found === undefined) continue;
    const month = found['name'] === undefined ? Number(found['month']) : toMonth(found['name']);
    const [year, day] = [Number(found['year']), Number(found['day'])];
    if (year < 1 || month < 1 || month > 12 || day < 1) return false;
    // Day 0 of the next month is the last of this one; years below 100 need setUTCFullYear.
    const last = new Date(0);
    last.setUTCFullYear(year, month, 0);
    return day <= last.getUTCDate();
  }
  return false;
}

/** 1 to 12; 0 for what is no month's name, in full or by its first three letters. */
function toMonth(name: string): number {
  const lower = name.toLowerCase();
  return MONTHS.findIndex((month) => month === lower || month.slice(0, 3) === lower) + 1;
}

function isTime(text: string): boolean {
  const found = TIME.exec(text)?.groups;
  if (found === undefined) return false;
  const [hour, minute, second] = [
    Number(found['hour']),
    Number(found['minute']),
    Number(found['second'] ?? 0),
  ];
  const hasGoodHour = found['half'] === undefined ? hour <= 23 : hour >= 1 && hour <= 12;
  const zone = Number(found['zoneHour'] ?? 0) * 60 + Number(found['zoneMinute'] ?? 0);
  return hasGoodHour && minute <= 59 && second <= 59 && zone <= 14 * 60;
}
