/**
 * `npm run bench`: what issuing, logging in, renewing, scanning and loading the package cost, in one run of a few minutes. Prints
 * a table and writes bench-results.json beside package.json. Ratios compare within the run; absolute figures belong to the
 * machine.
 */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { reportCosts } from './costs.ts';
import { benchIssuing } from './issuing.ts';
import { benchLocal } from './local.ts';
import { countLoginCalls } from './login-calls.ts';
import type { Report, Row } from './measure.ts';
import { benchPackage } from './package.ts';
import { benchRevocation } from './revocation.ts';
import { benchRevocationLists } from './revocation-lists.ts';
import { benchScan } from './scan.ts';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
/**
 * 10,000 logins in all, and how long each load may take at most: on a machine that has other work to do the bench still
 * ends within ten minutes, and its rows say how many there were.
 */
const LOADS = [
  { concurrency: 1, times: 600, seconds: 40 },
  { concurrency: 8, times: 4_000, seconds: 110 },
  { concurrency: 64, times: 5_400, seconds: 130 },
];

const rows: Row[] = [];
const remarks: string[] = [];
const report: Report = {
  add: (row) => {
    rows.push(row);
    console.log(line(row));
  },
  remark: (text) => void remarks.push(text),
};

const begun = performance.now();
const [cpu] = cpus();
const machine = `${cpus().length} x ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
console.log(`${machine}\n`);
benchPackage(report);
await benchIssuing(report, 8);
benchRevocation(report);
await countLoginCalls(report);
await benchLocal(report, LOADS);
await benchScan(report);
await benchRevocationLists(report);
await reportCosts(report);
const seconds = Math.round((performance.now() - begun) / 1000);
console.log(`\n${machine}; ${seconds} s in all\n\n${table(rows)}\n\n${remarks.join('\n')}`);
const results = { machine, finishedAt: new Date().toISOString(), seconds, rows, remarks };
writeFileSync(join(CHECKOUT, 'bench-results.json'), `${JSON.stringify(results, null, 2)}\n`);

function line({ part, what, figure, unit, ratio, note }: Row): string {
  return `${part.padEnd(8)}${what.padEnd(54)}${text(figure).padStart(9)} ${unit.padEnd(6)}${ratioText(ratio).padStart(6)}  ${note}`;
}

function table(all: readonly Row[]): string {
  const body = all.map(
    ({ part, what, figure, unit, ratio, note }) =>
      `| ${part} | ${what} | ${text(figure)} ${unit} | ${ratioText(ratio)} | ${note} |`,
  );
  return ['| part | what | figure | ratio | |', '| --- | --- | ---: | ---: | --- |', ...body].join('\n');
}

function text(figure: number): string {
  return figure >= 100 ? Math.round(figure).toLocaleString('en') : figure.toPrecision(3);
}

function ratioText(ratio: number | null): string {
  return ratio === null ? '' : ratio.toFixed(2);
}
