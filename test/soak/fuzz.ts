/**
 * `npm run soak:fuzz [-- <requests> [<seed>]]`: the fuzzing of scenario 41, twenty times as long, with other requests each
 * time. Ends at the first answer that breaks a promise, with exit code 1, the request, and the seed that makes it come again.
 */
import { randomInt } from 'node:crypto';
import { fuzz, type Tally } from '../support/fuzz/fuzz.ts';

const DEFAULT_CASES = 10_000;
/** fast-check's seeds are 32-bit integers; batches count up from here. */
const MOST_SEED = 2 ** 30;
const REPORT_EVERY = 500;

async function main(cases: number, seed: number): Promise<void> {
  console.log(`Fuzzing with ${cases} requests, seed ${seed}.`);
  let reported = 0;
  const tally = await fuzz({
    cases,
    seed,
    onProgress: (sofar) => {
      if (sofar.cases < reported + REPORT_EVERY) return;
      reported = sofar.cases;
      console.log(`${String(sofar.cases).padStart(6)} of ${cases}  ${sofar.runs} deployments: ok`);
    },
  });
  report(tally);
}

function report({ cases, runs, byStatus, byTarget }: Tally): void {
  console.log(`${cases} requests to ${runs} deployments held. Answers by status:`);
  for (const [status, count] of Object.entries(byStatus)) console.log(`  ${status}  ${count}`);
  console.log('Answers below 400, by route:');
  for (const [target, count] of Object.entries(byTarget).sort())
    console.log(`  ${String(count).padStart(5)}  ${target}`);
}

const [cases = DEFAULT_CASES, seed = randomInt(MOST_SEED)] = process.argv.slice(2).map(Number);
if (!Number.isInteger(cases) || cases < 1 || !Number.isInteger(seed)) {
  console.error('Say how many requests, 1 or more, and a seed if you want one: npm run soak:fuzz -- 1000 7');
  process.exitCode = 2;
} else {
  await main(cases, seed);
}
