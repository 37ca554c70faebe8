/** `npm test`: every check there is, one after the other, all of them even when one fails. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { delimiter, join, relative } from 'node:path';
import { build } from './build.mjs';
import { runUntilEnd } from './child.mjs';
import { Refusal } from './refusal.mjs';

/** The most that one test file may take: longer than any, and shorter than a night spent hanging. */
const FILE_TIMEOUT_MS = 10 * 60_000;
const MIN_LINE_COVERAGE = 95;
/** Failures that the end of the output repeats, and how much of the reason for each. */
const MOST_FAILURES = 10;
const REASON_LENGTH = 300;
const FAILURES_REPORTER = new URL('failures-reporter.mjs', import.meta.url).href;

/** What the unit tests have to cover: the rules and the X.509. */
const COVERAGE = [
  '--experimental-test-coverage',
  '--test-coverage-include=shared/domain/**',
  '--test-coverage-include=shared/pki/**',
  `--test-coverage-lines=${MIN_LINE_COVERAGE}`,
];

/** Biome colours its report wherever it runs; a log file is no place for that. */
const COLORS = `--colors=${process.stdout.isTTY ? 'force' : 'off'}`;

/** Files at once: one for each core. Node's own choice leaves a core idle, which on two cores is half of them. */
const EVERY_CORE = `--test-concurrency=${availableParallelism()}`;

/** In order; the quick ones first. */
const STEPS = [
  { kind: 'format', title: 'Format and lint', program: ['@biomejs/biome/bin/biome', 'ci', COLORS, '.'] },
  { kind: 'types', title: 'Types', program: ['typescript/bin/tsc', '-p', 'tsconfig.json'] },
  { kind: 'unit', title: 'Unit tests and coverage', options: [EVERY_CORE, ...COVERAGE] },
  { kind: 'contract', title: 'Contract tests', options: [EVERY_CORE] },
  { kind: 'scenario', title: 'Scenario tests', options: [EVERY_CORE] },
  { kind: 'infra', title: 'Infrastructure tests' },
  { kind: 'architecture', title: 'Architecture tests' },
  // Each file starts environments of its own, which wait for each other half of the time and share nothing.
  { kind: 'e2e', title: 'End-to-end tests', options: [EVERY_CORE], needsBuild: true },
];

/**
 * @param kinds the kinds to run; none = all. A kind without test files is left out.
 * @returns the exit code: 0 when everything passed
 * @throws Refusal for an unknown kind
 */
export async function runTests(checkout, node, kinds) {
  const known = STEPS.map(({ kind }) => kind);
  const unknown = kinds.filter((kind) => !known.includes(kind));
  if (unknown.length > 0)
    throw new Refusal(`Unknown: ${unknown.join(', ')}. There are: ${known.join(', ')}.`);
  const chosen = STEPS.filter(({ kind }) => kinds.length === 0 || kinds.includes(kind));
  // `node` means the pinned one, also for what the tests start.
  const path = join(checkout, 'node_modules/.bin') + delimiter + process.env['PATH'];
  const env = { ...process.env, PATH: path };
  const results = [];
  const scratch = mkdtempSync(join(tmpdir(), 'everleaf-tests-'));
  try {
    for (const step of chosen) {
      const failuresFile = join(scratch, step.kind);
      const args = argumentsOf(step, checkout, failuresFile);
      if (args === null) continue;
      console.log(`\n=== ${step.title}`);
      const begun = performance.now();
      const code = await runStep(step, args, { checkout, node, env });
      const seconds = (performance.now() - begun) / 1000;
      results.push({ title: step.title, code, seconds, failures: failuresIn(failuresFile) });
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  console.log(`\n${results.map(summaryLine).join('\n')}`);
  const failed = results.filter(({ code }) => code !== 0);
  for (const result of failed) console.log(failureReport(result, checkout));
  return failed.length > 0 ? 1 : 0;
}

async function runStep(step, args, { checkout, node, env }) {
  if (step.needsBuild) {
    try {
      await build(checkout, node);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      console.error(error.message);
      return error.exitCode;
    }
  }
  return runUntilEnd(node, args, { cwd: checkout, env });
}

/** The arguments of node for a step; null when it has nothing to run. */
function argumentsOf({ kind, program, options = [] }, checkout, failuresFile) {
  if (program !== undefined) return [join(checkout, 'node_modules', program[0]), ...program.slice(1)];
  const directory = join(checkout, 'test', kind);
  if (!existsSync(directory)) return null;
  const hasTests = readdirSync(directory, { recursive: true }).some((name) => name.endsWith('.test.ts'));
  if (!hasTests) return null;
  return [
    '--test',
    ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
    ...[`--test-reporter=${FAILURES_REPORTER}`, `--test-reporter-destination=${failuresFile}`],
    `--test-timeout=${FILE_TIMEOUT_MS}`,
    ...options,
    `test/${kind}/**/*.test.ts`,
  ];
}

function summaryLine({ title, code, seconds }) {
  return `${code === 0 ? 'ok    ' : 'FAILED'}  ${title.padEnd(26)}${seconds.toFixed(1).padStart(7)} s`;
}

/** What the reporter wrote; nothing where the step runs no tests, or was killed before it could. */
function failuresIn(file) {
  if (!existsSync(file)) return [];
  const whole = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line));
}

function failureReport({ title, code, failures }, checkout) {
  if (failures.length === 0) return `\n${title}: no test failed; exit code ${code}, for what it says above.`;
  const shown = failures.slice(0, MOST_FAILURES).map(({ file, line, name, reason }) => {
    const place = file === null ? '' : `${relative(checkout, file)}:${line}  `;
    return `  ${place}${name}\n    ${reason.slice(0, REASON_LENGTH).replaceAll('\n', '\n    ')}`;
  });
  const more = failures.length - shown.length;
  const rest = more > 0 ? [`  ... and ${more} more`] : [];
  return [`\n${title}: failed`, ...shown, ...rest].join('\n');
}
