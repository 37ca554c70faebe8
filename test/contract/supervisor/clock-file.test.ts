import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { followClockFile } from '../../../infra/local/clock/clock-file.ts';
import { offsetMs } from '../../../infra/local/clock/shifted-date.ts';
import { writePrivateFile } from '../../../infra/local/supervisor/files.ts';

const PRELOAD = new URL('../../../infra/local/clock/preload.ts', import.meta.url).href;
const DAY_MS = 86_400_000;

/** Tells the time at once, and again after each jump of more than an hour. */
const TELL = `
const show = () => console.log(Date.now());
show();
let last = Date.now();
setInterval(() => {
  if (Date.now() - last > 3_600_000) show();
  last = Date.now();
}, 5);`;

let stateDir: string;
let clockFile: string;
let children: ChildProcess[];

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'everleaf-clock-file-'));
  clockFile = join(stateDir, 'clock.json');
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(stateDir, { recursive: true, force: true });
});

/** Any Node program that somebody starts beside the environment: no parent of ours, no IPC. */
function start(program: string): ChildProcess {
  const child = spawn(process.execPath, ['--import', PRELOAD, '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { EVERLEAF_CLOCK_FILE: clockFile },
  });
  children.push(child);
  return child;
}

/** How many whole days the program is ahead, by what it says next. */
async function daysAhead(child: ChildProcess): Promise<number> {
  const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return Math.floor((Number(chunk.toString().trim()) - Date.now() + DAY_MS / 2) / DAY_MS);
}

/** As the supervisor does: in one step, so that nobody reads half of it. */
function write(offsetMs: number): void {
  writePrivateFile(clockFile, JSON.stringify({ offsetMs }));
}

describe('a process that follows the clock file', () => {
  it('begins at the time of the file', async () => {
    write(60 * DAY_MS);
    assert.equal(await daysAhead(start(TELL)), 60);
  });

  it('follows every jump, also the first one, before which there is no file', async () => {
    const child = start(TELL);
    assert.equal(await daysAhead(child), 0);
    write(50 * DAY_MS);
    assert.equal(await daysAhead(child), 50);
    write(90 * DAY_MS);
    assert.equal(await daysAhead(child), 90);
  });

  it('stays in its time when the file goes missing, and goes on when it is back', () => {
    mock.timers.enable({ apis: ['setInterval'] });
    write(1000);
    followClockFile(clockFile);
    assert.equal(offsetMs(), 1000);
    rmSync(clockFile);
    mock.timers.tick(1000);
    assert.equal(offsetMs(), 1000);
    write(3000);
    mock.timers.tick(1000);
    assert.equal(offsetMs(), 3000);
    mock.timers.reset();
  });

  it('ends by itself when its work is done', async () => {
    const child = start("console.log('done')");
    await once(child, 'exit');
    assert.equal(child.exitCode, 0);
  });

  for (const [what, text] of [
    ['goes back', '{"offsetMs":0}'],
    ['holds no offset', '{"offsetMs":"soon"}'],
    ['is not JSON', 'tomorrow'],
  ] as const) {
    it(`fails and says so when the file ${what}`, async () => {
      write(60 * DAY_MS);
      const child = start(TELL);
      assert.equal(await daysAhead(child), 60);
      let errors = '';
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
        errors += chunk;
      });
      writePrivateFile(clockFile, text);
      await once(child, 'close');
      assert.equal(child.exitCode, 1);
      assert.match(errors, /cannot move from offset|holds no clock offset/);
    });
  }
});
