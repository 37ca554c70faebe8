import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { acquireDirectory, addClaim, liveClaims } from '../../../infra/local/supervisor/claims.mjs';

const CLAIMS = new URL('../../../infra/local/supervisor/claims.mjs', import.meta.url).href;

let scratch: string;
let directory: string;
let children: ChildProcess[];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'everleaf-claims-'));
  directory = join(scratch, 'claims');
  children = [];
});
afterEach(async () => {
  for (const child of children) await kill(child);
  rmSync(scratch, { recursive: true, force: true });
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** Runs a program that has acquireDirectory, liveClaims and addClaim at hand; resolves with its first output. */
async function run(body: string): Promise<{ child: ChildProcess; output: string }> {
  const child = spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { acquireDirectory } from ${JSON.stringify(CLAIMS)}; const directory = ${JSON.stringify(directory)}; ${body}`,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  children.push(child);
  const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { child, output: chunk.toString().trim() };
}

const HOLD = `await acquireDirectory(directory, 'vault', { waitMs: 0 }); console.log('held'); setInterval(() => {}, 1000);`;

describe('the claims on a directory', () => {
  it('are refused with role and pid of the holder when the time to wait is over', async () => {
    const { child } = await run(HOLD);
    await assert.rejects(acquireDirectory(directory, 'supervisor', { waitMs: 0 }), (error: Error) => {
      assert.match(error.message, new RegExp(`vault \\(pid ${child.pid}\\)`));
      return true;
    });
    assert.deepEqual(liveClaims(directory), [{ role: 'vault', pid: child.pid }]);
  });

  it('are granted once the holder is gone, however it went', async () => {
    const { child } = await run(HOLD);
    let holders: readonly { role: string }[] = [];
    const acquired = acquireDirectory(directory, 'supervisor', {
      waitMs: 60_000,
      onWait: (found) => {
        holders = found;
        child.kill('SIGKILL');
      },
    });
    (await acquired)();
    assert.deepEqual(
      holders.map(({ role }) => role),
      ['vault'],
    );
    assert.deepEqual(readdirSync(directory), [], 'the dead claim is swept away, our own taken back');
  });

  it('of a process whose pid was given to another later do not count', async () => {
    (await acquireDirectory(directory, 'supervisor', { waitMs: 0 }))();
    // Our own parent is alive, but did not start at tick 1.
    writeFileSync(join(directory, `supervisor.${process.ppid}.1`), '');
    const release = await acquireDirectory(directory, 'supervisor', { waitMs: 0 });
    assert.deepEqual(liveClaims(directory), [{ role: 'supervisor', pid: process.pid }]);
    release();
  });

  it('made for a child keep others out as well', async () => {
    const release = await acquireDirectory(directory, 'supervisor', { waitMs: 0 });
    addClaim(directory, 'functions', process.ppid);
    release();
    await assert.rejects(acquireDirectory(directory, 'supervisor', { waitMs: 0 }), /functions \(pid \d+\)/);
  });

  it('can be waited for no longer when the signal says so', async () => {
    await run(HOLD);
    const controller = new AbortController();
    const waiting = acquireDirectory(directory, 'supervisor', {
      waitMs: 60_000,
      signal: controller.signal,
      onWait: () => controller.abort(),
    });
    await assert.rejects(waiting, { name: 'AbortError' });
  });

  it('never let two of many processes in at once', async () => {
    const inside = join(scratch, 'inside');
    const results = await Promise.all(
      Array.from({ length: 4 }, () =>
        run(`
          import { mkdirSync, rmdirSync } from 'node:fs';
          for (let round = 0; round < 5; round++) {
            const release = await acquireDirectory(directory, 'supervisor', { waitMs: 60000 });
            mkdirSync(${JSON.stringify(inside)});   // fails when somebody is inside
            rmdirSync(${JSON.stringify(inside)});
            release();
          }
          console.log('done');`),
      ),
    );
    assert.deepEqual(
      results.map(({ output }) => output),
      ['done', 'done', 'done', 'done'],
    );
  });
});
