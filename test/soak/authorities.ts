/**
 * `npm run soak:authorities [-- <agents> [<years> [<seed>]]]`: scenario 50 as a whole, five hundred agents for ten years, with
 * other habits, absences and clock errors each time. Ends with exit code 1 when a handshake was refused that nobody could
 * foresee; the seed makes the same years come again.
 */
import { randomInt } from 'node:crypto';
import { opensslAccepts } from '../support/openssl-verify.ts';
import { assertUnnoticed } from '../support/years/assert-unnoticed.ts';
import { liveThrough } from '../support/years/life-of-authorities.ts';
import type { Report } from '../support/years/report.ts';
import { openOpensslDirectory } from '../unit/pki/support/openssl.ts';

const DEFAULT_AGENTS = 500;
const DEFAULT_YEARS = 10;
const DAYS_IN_YEAR = 365;
const MOST_SEED = 2 ** 30;
const REPORT_DAYS = 73;

async function main(agents: number, years: number, seed: number): Promise<void> {
  console.log(`${agents} agents for ${years} years, seed ${seed}.`);
  const days = Math.round(years * DAYS_IN_YEAR);
  const startedAt = performance.now();
  const report = await liveThrough({
    agents,
    days,
    seed,
    scanHours: 6,
    statusDays: 7,
    // In the first and, where there is one, in the sixth year.
    troubleDays: [60, 5 * DAYS_IN_YEAR + 60].filter((day) => day < days - 2 * DAYS_IN_YEAR || day === 60),
    // The second authority while the first one retires, and another in the fifth year.
    taintDays: [300, 4 * DAYS_IN_YEAR + 200].filter((day) => day < days - DAYS_IN_YEAR / 2),
    onDay: (day, { handshakes, refusals }) => {
      if (day % REPORT_DAYS !== 0) return;
      const year = (day / DAYS_IN_YEAR).toFixed(1).padStart(4);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0).padStart(4);
      console.log(
        `year ${year}  ${seconds} s  ${handshakes} looks at handshakes, ${refusals} refused for a while`,
      );
    },
  });
  print(report);
  const openssl = openOpensslDirectory();
  try {
    assertUnnoticed(report, (shown) => opensslAccepts(openssl, shown));
  } finally {
    openssl.remove();
  }
}

function print({ refusals, samples, states, troubled, ...numbers }: Report): void {
  for (const [what, count] of Object.entries(numbers)) console.log(`  ${String(count).padStart(9)}  ${what}`);
  console.log(`  ${String(samples.length).padStart(9)}  samples for openssl`);
  console.log(`Authorities: ${states.join(' ')}`);
  console.log(`In trouble: ${troubled.join(' ')}`);
  for (const { shownBy, refusedBy, from, to, foretold } of refusals) {
    const why = foretold ?? 'NOBODY FORETOLD IT';
    console.log(
      `  ${shownBy} refused by ${refusedBy} from ${from.toISOString()} to ${to.toISOString()}: ${why}`,
    );
  }
}

const [agents = DEFAULT_AGENTS, years = DEFAULT_YEARS, seed = randomInt(MOST_SEED)] = process.argv
  .slice(2)
  .map(Number);
if (!Number.isInteger(agents) || agents < 20 || !(years >= 1.5) || !Number.isInteger(seed)) {
  console.error(
    'Say how many agents, 20 or more, years, 1.5 or more, and a seed if you want one: npm run soak:authorities -- 100 3 7',
  );
  process.exitCode = 2;
} else {
  await main(agents, years, seed);
}
