import { Cron } from 'croner';

/** When a timer runs; UTC, as on Flex Consumption, which knows no WEBSITE_TIME_ZONE. */
export interface Schedule {
  /** The first moment after `from` at which the timer is due. */
  next(from: Date): Date;
  /** True when it is due more than once a minute: such timers are not monitored. */
  readonly isFast: boolean;
}

const NAMES: readonly (readonly string[])[] = [
  [],
  [],
  [],
  [],
  ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'],
];
const MAXIMA = [59, 59, 23, 31, 12, 6];

/**
 * Reads an NCRONTAB expression: `{second} {minute} {hour} {day} {month} {day-of-week}`, or five fields without the
 * seconds. Other than in cron, day and day-of-week must BOTH match. What croner knows beyond NCRONTAB (L, W, #, ?, 7 for
 * Sunday) is refused, so that a schedule that runs here runs in Azure.
 * https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions and
 * https://github.com/atifaziz/NCrontab
 * @param usedBy for messages
 * @throws Error naming `usedBy`, the expression and what is wrong
 */
export function parseNcrontab(expression: string, usedBy: string): Schedule {
  const wrong = (why: string, cause?: unknown) =>
    new Error(`${usedBy}: "${expression}" is not an NCRONTAB expression: ${why}.`, { cause });
  if (/^-?[\d.]*\d+:\d+:\d+/.test(expression.trim())) {
    throw wrong(
      'it is a time span, which works in an App Service plan only; write for example "0 */15 * * * *"',
    );
  }
  const fields = expression.trim().split(/\s+/);
  if (fields.length === 5) fields.unshift('0');
  if (fields.length !== 6) throw wrong(`it has ${fields.length} fields, not 6 (or 5 without the seconds)`);
  const pattern = fields.map((field, at) => toCronField(field, at, wrong)).join(' ');
  let cron: Cron;
  try {
    cron = new Cron(pattern, { mode: '6-part', timezone: 'UTC', domAndDow: true, paused: true });
  } catch (error) {
    throw wrong((error as Error).message, error);
  }
  const next = (from: Date) => {
    const found = cron.nextRun(from);
    if (found === null) throw wrong('it never comes true');
    return found;
  };
  const first = next(new Date());
  return { next, isFast: next(first).getTime() - first.getTime() < 60_000 };
}

function toCronField(field: string, at: number, wrong: (why: string) => Error): string {
  return field
    .split(',')
    .map((item) => {
      const match = /^(\*|(?:\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(item);
      const words = match?.[1]?.split('-') ?? [];
      if (match === null || !words.every((word) => isValue(word, at))) {
        throw wrong(`"${item}" cannot stand in field ${at + 1}`);
      }
      // NCRONTAB reads 5/10 as "from 5 on, every 10th"; croner wants the end said.
      const isOpen = match[3] !== undefined && match[1] !== '*' && match[2] === undefined;
      return isOpen ? `${match[1]}-${MAXIMA[at]}/${match[3]}` : item;
    })
    .join(',');
}

function isValue(word: string, at: number): boolean {
  if (word === '*') return true;
  if (/^\d{1,2}$/.test(word)) return Number(word) <= (MAXIMA[at] ?? 0);
  return NAMES[at]?.includes(word.toUpperCase()) === true;
}
