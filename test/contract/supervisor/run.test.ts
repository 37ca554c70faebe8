import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const LOCAL = fileURLToPath(new URL('../../../infra/local', import.meta.url));
const MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

let scratch: string;
let checkout: string;
let npm: string;

before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'everleaf-run-'));
});
after(() => rmSync(scratch, { recursive: true, force: true }));

// A checkout with nothing installed, and an npm that installs links to our own packages and keeps count.
beforeEach(() => {
  checkout = mkdtempSync(join(scratch, 'checkout-'));
  npm = join(checkout, 'npm-cli.cjs');
  mkdirSync(join(checkout, 'infra/local/supervisor'), { recursive: true });
  cpSync(join(LOCAL, 'run'), join(checkout, 'infra/local/run'), { recursive: true });
  cpSync(join(LOCAL, 'run.mjs'), join(checkout, 'infra/local/run.mjs'));
  cpSync(join(LOCAL, 'supervisor/claims.mjs'), join(checkout, 'infra/local/supervisor/claims.mjs'));
  write('package.json', '{ "type": "module" }');
  write('package-lock.json', '{ "packages": { "": {}, "node_modules/a": { "version": "1.0.0" } } }');
  write(
    'npm-cli.cjs',
    `const { appendFileSync, mkdirSync, rmSync, symlinkSync } = require('node:fs');
     appendFileSync('installs', process.argv.slice(2).join(' ') + '\\n');
     rmSync('node_modules', { recursive: true, force: true });
     mkdirSync('node_modules/.bin', { recursive: true });
     symlinkSync(${JSON.stringify(process.execPath)}, 'node_modules/.bin/node');
     symlinkSync(${JSON.stringify(join(MODULES, 'typescript'))}, 'node_modules/typescript');
     symlinkSync(${JSON.stringify(join(MODULES, '@typescript'))}, 'node_modules/@typescript');`,
  );
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(checkout, path)), { recursive: true });
  writeFileSync(join(checkout, path), text);
}

function installs(): string[] {
  const path = join(checkout, 'installs');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
}

interface Result {
  readonly code: number | null;
  readonly output: string;
}

async function run(...args: string[]): Promise<Result> {
  const { npm_lifecycle_event: _, ...env } = process.env;
  const child = spawn(process.execPath, [join(checkout, 'infra/local/run.mjs'), ...args], {
    env: { ...env, npm_execpath: npm, TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  await once(child, 'close');
  return { code: child.exitCode, output };
}

describe('npm start, npm test and npm demo', () => {
  it('install the packages once, and again when the lockfile is another', async () => {
    const first = await run('test', 'unit');
    assert.match(first.output, /^Installing packages/);
    assert.equal(first.code, 0);
    await run('test', 'unit');
    assert.deepEqual(installs(), ['ci --no-audit --no-fund --include=dev --loglevel=error']);
    write('package-lock.json', '{ "packages": { "": {}, "node_modules/a": { "version": "2.0.0" } } }');
    await run('test', 'unit');
    assert.equal(installs().length, 2);
  });

  it('install once when two start at once', async () => {
    const results = await Promise.all([run('test', 'unit'), run('test', 'unit')]);
    assert.deepEqual(
      results.map(({ code }) => code),
      [0, 0],
    );
    assert.equal(installs().length, 1);
  });

  it("take a developer's own npm install for as good as theirs", async () => {
    mkdirSync(join(checkout, 'node_modules/.bin'), { recursive: true });
    symlinkSync(process.execPath, join(checkout, 'node_modules/.bin/node'));
    write('node_modules/.package-lock.json', '{ "packages": { "node_modules/a": { "version": "1.0.0" } } }');
    assert.equal((await run('test', 'unit')).code, 0);
    assert.deepEqual(installs(), []);
  });

  it('say what to do when the packages cannot be fetched', async () => {
    write('npm-cli.cjs', 'process.exit(7);');
    const { code, output } = await run('start');
    assert.equal(code, 7);
    assert.match(output, /npm ci ended with exit code 7.*registry/s);
  });

  it('say what to do when the pinned Node was not set up', async () => {
    write('npm-cli.cjs', "require('node:fs').mkdirSync('node_modules', { recursive: true });");
    const { code, output } = await run('start');
    assert.equal(code, 1);
    assert.match(output, /node does not run.*ignore-scripts/s);
    assert.equal(existsSync(join(checkout, 'node_modules/.everleaf-install')), false);
  });

  it('name the commands and the kinds of tests there are', async () => {
    assert.match(
      (await run('begin')).output,
      /start, services, demo, soak, test, restore, verify-audit, package, bench/,
    );
    const { code, output } = await run('test', 'units');
    assert.equal(code, 1);
    assert.match(output, /Unknown: units.*unit, contract, scenario/);
  });

  it('run every kind of test that has files, fail when one fails, and say which', async () => {
    write('test/contract/a.test.ts', "import test from 'node:test'; test('passes', () => {});");
    write(
      'test/scenario/b.test.ts',
      "import { describe, it } from 'node:test'; describe('b', () => it('fails', () => { throw new Error('at noon'); }));",
    );
    write('test/infra/readme.md', 'no test here');
    const { code, output } = await run('test', 'contract', 'scenario', 'infra');
    assert.equal(code, 1);
    assert.match(output, /^ok {6}Contract tests/m);
    assert.match(output, /^FAILED {2}Scenario tests/m);
    assert.doesNotMatch(output, /Infrastructure/);
    const end = output.slice(output.indexOf('FAILED'));
    assert.match(
      end,
      /\n\nScenario tests: failed\n {2}test\/scenario\/b\.test\.ts:1 {2}fails\n {4}at noon\n$/,
    );
  });

  it('say at the end that a step failed of which no test did', async () => {
    const { code, output } = await run('test', 'types');
    assert.equal(code, 1, 'there is no tsconfig.json');
    assert.match(output, /Types: no test failed; exit code \d+, for what it says above\.\n$/);
  });

  it('run the demo on a fresh build, from which a deleted function is gone', async () => {
    write(
      'tsconfig.build.json',
      '{ "compilerOptions": { "rootDir": ".", "outDir": "dist" }, "include": ["functions"] }',
    );
    write('functions/login.ts', 'export const x: number = 1;');
    write('dist/functions/deleted.js', '');
    write('infra/local/demo.ts', "console.log('the story'); process.exit(3);");
    const { code, output } = await run('demo');
    assert.match(output, /the story/);
    assert.equal(code, 3, 'the exit code passes through');
    assert.deepEqual(readdirSync(join(checkout, 'dist/functions')), ['login.js']);

    write('functions/login.ts', 'export const x: number = "one";');
    assert.notEqual((await run('demo')).code, 0);
    assert.match(
      readFileSync(join(checkout, 'dist/functions/login.js'), 'utf8'),
      /x = 1/,
      'dist is as it was',
    );
    assert.deepEqual(
      readdirSync(checkout).filter((name) => name.startsWith('dist-')),
      [],
    );
  });

  it('compile nothing when neither the sources nor dist have changed', async () => {
    write(
      'tsconfig.build.json',
      '{ "compilerOptions": { "rootDir": ".", "outDir": "dist" }, "include": ["functions"] }',
    );
    write('functions/login.ts', 'export const x: number = 1;');
    write('infra/local/demo.ts', '');
    assert.equal((await run('demo')).code, 0);
    const built = statSync(join(checkout, 'dist')).ino;
    const compiler = join(checkout, 'node_modules/typescript');
    // A compiler that fails is a compiler that was called.
    renameSync(compiler, `${compiler}-away`);
    assert.equal((await run('demo')).code, 0);
    write('dist/functions/login.js', 'changed by hand');
    assert.notEqual((await run('demo')).code, 0);
    renameSync(`${compiler}-away`, compiler);
    assert.equal((await run('demo')).code, 0);
    assert.match(readFileSync(join(checkout, 'dist/functions/login.js'), 'utf8'), /x = 1/);
    assert.notEqual(statSync(join(checkout, 'dist')).ino, built);
  });

  it('hand a signal on and end with what came of it', async () => {
    write('tsconfig.build.json', '{ "compilerOptions": { "rootDir": "." }, "include": ["functions"] }');
    write('functions/login.ts', 'export {};');
    write(
      'infra/local/supervisor/main.ts',
      `process.on('SIGTERM', () => { console.log('in good order'); process.exit(0); });
       process.kill(process.ppid, 'SIGTERM');
       setInterval(() => undefined, 1000);`,
    );
    const { code, output } = await run('start');
    assert.match(output, /in good order/);
    assert.equal(code, 0);
  });
});
