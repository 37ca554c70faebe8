import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { acquireDirectory } from '../../../infra/local/supervisor/claims.mjs';
import type { Command } from '../../../infra/local/supervisor/command.ts';
import type { Environment } from '../../../infra/local/supervisor/environment-file.ts';
import { HeldPort } from '../../../infra/local/supervisor/ports.ts';
import { DrivenRun } from './driven-run.ts';
import { makeCheckout, readJournal } from './small-checkout.ts';

const DAY_MS = 86_400_000;

let scratch: string;
let checkout: string;
let stateDir: string;
let settingsFile: string;
const runs = new Set<DrivenRun>();

before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'everleaf-services-'));
});
afterEach(async () => {
  for (const run of runs) await run.kill();
  runs.clear();
  (await acquireDirectory(join(stateDir, 'claims'), 'test', { waitMs: 60_000 }))();
});
after(() => rmSync(scratch, { recursive: true, force: true }));

function place(name: string): void {
  checkout = join(scratch, name);
  stateDir = join(checkout, 'state');
  settingsFile = join(checkout, 'local.settings.json');
  makeCheckout(checkout);
}

function start(command: Command): DrivenRun {
  const run = new DrivenRun(checkout, stateDir, command);
  runs.add(run);
  return run;
}

async function startedReady(command: Command): Promise<{ run: DrivenRun; environment: Environment }> {
  const run = start(command);
  await run.line(/^ready /);
  const text = readFileSync(join(stateDir, 'environment.json'), 'utf8');
  return { run, environment: JSON.parse(text) as Environment };
}

interface Answer {
  readonly status: number;
  readonly body: { readonly now: string; readonly detail: string };
}

async function ask(url: string, method: string, body?: unknown): Promise<Answer> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(url, init);
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

describe('the services', () => {
  it('are all of the environment but the functions host, and leave its port and settings to another', async () => {
    place('ready');
    const { run, environment } = await startedReady('services');
    assert.deepEqual(
      run.seen.filter((text) => !text.startsWith('ready')),
      [
        'Starting storage',
        'Starting the identity provider',
        'Starting the key vaults',
        'Preparing the authority and the management cluster',
        '  made the authority',
      ],
    );
    assert.deepEqual(
      environment.processes.map(({ role }) => role),
      ['supervisor', 'storage', 'issuer', 'vault'],
    );

    const { Values, Host } = JSON.parse(readFileSync(settingsFile, 'utf8')) as {
      Values: Record<string, string>;
      Host: { LocalHttpPort: number };
    };
    assert.equal(environment.baseUrl, `http://127.0.0.1:${Host.LocalHttpPort}`);
    const port = await HeldPort.hold(Host.LocalHttpPort);
    await port.release();
    const journal = readJournal(checkout);
    assert.deepEqual(
      journal.map(({ event }) => event),
      ['vault started', 'first start'],
    );
    // The first start is the app as well: what it was given, the host is given, but for what is its own.
    const given = { ...(journal[1]?.['environment'] as Record<string, string>) };
    assert.equal(given['EVERLEAF_CA_BUNDLE'], environment.files.caBundle);
    for (const name of Object.keys(given)) {
      if (/^(PATH|HOME|LANG|TMPDIR|NODE_CHANNEL_.*|EVERLEAF_.*)$/.test(name)) delete given[name];
    }
    assert.deepEqual(Values, {
      ...given,
      FUNCTIONS_WORKER_RUNTIME: 'node',
      EVERLEAF_CLOCK_FILE: join(stateDir, 'clock.json'),
    });
    const written = (path: string) => statSync(path, { bigint: true }).mtimeNs;
    assert.ok(
      written(settingsFile) <= written(join(stateDir, 'environment.json')),
      'environment.json is last',
    );

    assert.equal(await run.stop(), 0);
    assert.equal(existsSync(settingsFile), false);
    assert.equal(existsSync(join(stateDir, 'environment.json')), false);
    await assert.rejects(fetch(environment.clock.url), TypeError);
  });

  it('tell the time and move it, at a port of their own that stays', async () => {
    place('clock');
    const first = await startedReady('services');
    const { url } = first.environment.clock;
    assert.notEqual(new URL(url).origin, first.environment.baseUrl);
    const before = await ask(url, 'GET');
    const moved = await ask(url, 'POST', { advance: 'P50D' });
    assert.equal(moved.status, 200);
    assert.ok(Date.parse(moved.body.now) - Date.parse(before.body.now) >= 50 * DAY_MS);
    assert.deepEqual(JSON.parse(readFileSync(join(stateDir, 'clock.json'), 'utf8')), {
      offsetMs: 50 * DAY_MS,
    });
    assert.equal(await first.run.stop(), 0);
    const journal = readJournal(checkout);
    const [begun = 0, ended = 0] = [journal[0]?.now, journal.at(-1)?.now];
    assert.ok(ended - begun >= 50 * DAY_MS, 'the vault has moved');

    const second = await startedReady('services');
    assert.equal(second.environment.clock.url, url);
    assert.equal(second.environment.clock.offsetSeconds, 50 * 86_400);
    assert.equal(await second.run.stop(), 0);
  });

  it('refuse what they cannot do, say why, and have moved nothing', async () => {
    place('refusals');
    const { run, environment } = await startedReady('services');
    const { url } = environment.clock;
    const refusals: readonly [string, string, unknown, number, RegExp][] = [
      [url, 'POST', { advance: 'P50D', settle: true }, 501, /functions host.*without "settle"/],
      [environment.settleUrl, 'POST', undefined, 501, /functions host.*npm start/],
      [url, 'POST', { advance: '-P1D' }, 400, /only goes forward/],
      [url, 'POST', { advance: 'P9000W', settle: 'yes' }, 400, /true or false/],
      [url, 'POST', { advance: 'P9999999D' }, 400, /year 9999/],
      [url, 'POST', {}, 400, /"advance" must be/],
      [url, 'PUT', {}, 405, /GET, POST/],
      [environment.settleUrl, 'GET', undefined, 405, /POST/],
      [`${url}s`, 'GET', undefined, 404, /\/local\/clock/],
    ];
    for (const [target, method, body, status, detail] of refusals) {
      const answer = await ask(target, method, body);
      assert.equal(answer.status, status, `${method} ${target} ${JSON.stringify(body)}`);
      assert.match(answer.body.detail, detail);
    }
    assert.equal(existsSync(join(stateDir, 'clock.json')), false);
    assert.equal(await run.stop(), 0);
  });

  it("do not start over a developer's own local.settings.json, which npm start leaves alone", async () => {
    place('own');
    writeFileSync(settingsFile, '{}');
    const services = start('services');
    assert.equal(await services.exited(), 1);
    assert.match(await services.line(/^failed/), /local\.settings\.json.*Move it away/);
    assert.deepEqual(services.seen.length, 1, 'nothing was started');
    const { run } = await startedReady('start');
    assert.equal(await run.stop(), 0);
    assert.equal(readFileSync(settingsFile, 'utf8'), '{}');
  });

  it('that were killed leave settings behind, which the next run of either kind removes', async () => {
    place('killed');
    const { run: killed, environment } = await startedReady('services');
    await killed.kill();
    assert.ok(existsSync(settingsFile), 'nobody was there to remove it');
    const { run: own, environment: ownEnvironment } = await startedReady('start');
    assert.equal(existsSync(settingsFile), false);
    assert.equal(ownEnvironment.baseUrl, environment.baseUrl);
    assert.equal(ownEnvironment.clock.url, `${environment.baseUrl}/local/clock`);
    assert.equal(await own.stop(), 0);
  });

  it('say their own name when one of them dies', async () => {
    place('death');
    const { run, environment } = await startedReady('services');
    const vault = environment.processes.find(({ role }) => role === 'vault');
    process.kill(vault?.pid ?? 0, 'SIGKILL');
    assert.equal(await run.exited(), 1);
    assert.match(await run.line(/^failed/), /The vault process ended.*`npm run services` again/);
    assert.equal(existsSync(settingsFile), false);
  });
});
