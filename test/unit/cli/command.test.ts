/** The command as a process: what it prints, how it ends, and that it can be killed. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { FakeEverleaf } from '../../support/fake-everleaf.ts';
import { listenAsEverleaf } from '../../support/fake-everleaf-http.ts';

const PROGRAM = fileURLToPath(new URL('../../../cli/everleaf.mjs', import.meta.url));
const PRELOAD = new URL('../../../infra/local/clock/preload.ts', import.meta.url).href;
const DAY_MS = 86_400_000;

let folder: string;
let fake: FakeEverleaf;
let server: Server;
let days: number;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'everleaf-command-'));
  days = 0;
  ({ fake, server } = await listenAsEverleaf(() => new Date(Date.now() + days * DAY_MS)));
  writeFileSync(join(folder, 'login.yaml'), fake.loginFile(), { mode: 0o600 });
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, ['--import', PRELOAD, PROGRAM, ...args], {
    cwd: folder,
    env: { ...process.env, EVERLEAF_CLOCK_OFFSET_MS: String(days * DAY_MS) },
  });
  children.push(child);
  return child;
}

async function run(...args: string[]) {
  const child = start(...args);
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  const [code, signal] = await once(child, 'close');
  return { code: code ?? signal, out, err };
}

const agent = (...more: string[]) => [
  ...['agent', '--login-file', 'login.yaml', '--dir', 'state', '--key-type', 'ec-p256'],
  ...['--server', fake.baseUrl, ...more],
];

describe('everleaf agent', () => {
  it('does what is due, says when to come back, and ends with 0', async () => {
    const { code, out, err } = await run(...agent());
    assert.equal(code, 0, err);
    const lines = out.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^\S+Z Logged in: [0-9a-f]{32}, valid until \S+Z, to be renewed at \S+Z$/);
    assert.match(lines[1] ?? '', /^\S+Z Checked in with bundle [0-9a-f]{64}$/);
    assert.match(lines[2] ?? '', /^\S+Z Nothing more to do until \S+Z \(check-in\)$/);
    assert.deepEqual(readdirSync(join(folder, 'state')).sort(), ['cloudconfig', 'state.json']);
  });

  it('prints JSON for programs, and never a secret', async () => {
    let printed = '';
    for (days of [0, 45, 45.5]) {
      const { code, out, err } = await run(...agent('--json'));
      assert.equal(code, 0, err);
      printed += out + err;
    }
    const events = printed
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      events.map(({ event }) => event),
      ['logged-in', 'checked-in', 'waiting', 'renewed', 'token-rotated', 'checked-in', 'waiting', 'waiting'],
    );
    for (const { text } of fake.tokens) assert.equal(printed.includes(text), false);
    const { current } = JSON.parse(readFileSync(join(folder, 'state/state.json'), 'utf8'));
    const keyText: string = current.keyPem.split('\n')[1];
    assert.equal(printed.includes(keyText), false);
  });

  it('ends with 1 when the server is away, with 3 when an operator is needed, with 2 when it is called wrongly', async () => {
    const away = await run(
      'agent',
      '--login-file',
      'login.yaml',
      '--dir',
      'a',
      '--server',
      'http://127.0.0.1:9',
    );
    assert.equal(away.code, 1, away.err);
    writeFileSync(join(folder, 'login.yaml'), fake.loginFile('elt1_unknown'));
    const blocked = await run(...agent());
    assert.equal(blocked.code, 3, blocked.err);
    assert.match(blocked.out, /An operator has to rotate the token/);
    for (const args of [
      ['agent'],
      ['agent', '--what'],
      ['nothing'],
      agent('--key-type', 'dsa'),
      agent('--server', 'http://192.0.2.1'),
      agent('--once', '--loop'),
    ]) {
      const { code, err } = await run(...args);
      assert.equal(code, 2, args.join(' '));
      assert.match(err, /^everleaf: .*\n\nUsage: everleaf agent/, args.join(' '));
    }
    assert.equal((await run('--help')).code, 0);
  });

  it('leaves a damaged state and another identity’s folder alone', async () => {
    await run(...agent());
    writeFileSync(join(folder, 'login.yaml'), fake.loginFile().replace('name: KMS', 'name: CSI'));
    const other = await run(...agent());
    assert.equal(other.code, 2);
    assert.match(other.err, /holds the credentials of "KMS", and .* is for "CSI"/);
    writeFileSync(join(folder, 'state/state.json'), '{"v": 1, ');
    const damaged = await run(...agent());
    assert.equal(damaged.code, 2);
    assert.match(damaged.err, /state\.json is not JSON\. Restore /);
    assert.equal(readFileSync(join(folder, 'state/state.json'), 'utf8'), '{"v": 1, ');
  });

  it('follows a link to the login file and leaves the link in place', async () => {
    symlinkSync('login.yaml', join(folder, 'link.yaml'));
    await run(...agent());
    days = 45;
    const { code, out } = await run(...agent('--login-file', 'link.yaml'));
    assert.equal(code, 0);
    assert.match(out, /Rotated the token/);
    assert.equal(readFileSync(join(folder, 'login.yaml'), 'utf8'), fake.loginFile());
    assert.equal(readFileSync(join(folder, 'link.yaml'), 'utf8'), fake.loginFile());
  });

  it('goes on as a loop, alone in its folder, until it is told to stop', async () => {
    const loop = start(...agent('--loop'));
    assert.ok(loop.stdout);
    for await (const line of createInterface(loop.stdout)) if (/Nothing more to do/.test(line)) break;
    const second = await run(...agent());
    assert.equal(second.code, 2);
    assert.match(second.err, /Another agent works on/);
    loop.kill('SIGTERM');
    assert.deepEqual(await once(loop, 'exit'), [0, null]);
    assert.equal((await run(...agent())).code, 0);
  });

  for (const when of ['arrives', 'is answered']) {
    it(`survives SIGKILL while each of its requests ${when}`, async () => {
      const answer = fake.send;
      let target = Number.POSITIVE_INFINITY;
      let count = 0;
      let child: ChildProcess;
      Object.assign(fake, {
        send: async (request: Parameters<typeof answer>[0]) => {
          const isLast = ++count === target;
          const result = isLast && when === 'arrives' ? null : await answer(request);
          if (isLast) {
            const gone = once(child, 'exit');
            child.kill('SIGKILL');
            await gone;
          }
          return result ?? { status: 503, headers: {}, text: '' };
        },
      });
      // Login, look for a bundle, acknowledge; then renewal, rotation, look, acknowledge.
      for (const [day, requests] of [
        [0, 3],
        [45, 4],
      ] as const) {
        days = day;
        for (target = 1; target <= requests; target++) {
          count = 0;
          child = start(...agent());
          const [, signal] = await once(child, 'exit');
          if (count < target) break;
          assert.equal(signal, 'SIGKILL');
        }
        target = Number.POSITIVE_INFINITY;
        const { code, err } = await run(...agent());
        assert.equal(code, 0, err);
      }
      assert.equal(fake.lines.length, 1);
      assert.equal(fake.lines[0]?.isLocked, false);
      assert.equal(fake.issued.length, 2);
      assert.equal(readFileSync(join(folder, 'login.yaml'), 'utf8'), fake.loginFile());
    });
  }
});
