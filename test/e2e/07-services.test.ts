import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { acquireDirectory } from '../../infra/local/supervisor/claims.mjs';
import type { Environment } from '../../infra/local/supervisor/environment-file.ts';
import type { LoginAnswer } from '../support/contract-shapes.ts';
import { until } from '../support/local-run.ts';
import { Packaged } from '../support/packaged.ts';
import { CLIENT_KEYS, OpensslAgent } from './support/openssl-agent.ts';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const DAY_MS = 86_400_000;
const { PATH, HOME } = process.env;

/** A copy of the checkout: local.settings.json of the real one is the developer's. */
let checkout: string;
let stateDir: string;
/** What would be in Azure: that folder, Node, and a host. */
let packaged: Packaged;
let openssl: OpensslAgent;
let services: ChildProcess;
let host: ChildProcess | undefined;
let environment: Environment;
let settings: { Values: Record<string, string>; Host: { LocalHttpPort: number } };

const children = new Set<ChildProcess>();
const killAll = () => {
  for (const child of children) child.kill('SIGKILL');
};
process.on('exit', killAll);

before(async () => {
  checkout = mkdtempSync(join(tmpdir(), 'everleaf-services-e2e-'));
  stateDir = join(checkout, '.everleaf');
  openssl = new OpensslAgent();
  const files = [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'host.json',
    'LICENSE',
  ];
  for (const name of [...files, 'functions', 'shared', 'infra']) {
    cpSync(join(CHECKOUT, name), join(checkout, name), { recursive: true });
  }
  symlinkSync(join(CHECKOUT, 'node_modules'), join(checkout, 'node_modules'));
  packaged = new Packaged(checkout);
  // As npm sets npm_lifecycle_event: the run watches its parent, and ends when this test is gone without a word.
  const env = { HOME, EVERLEAF_PORT: '0', npm_lifecycle_event: 'services' };
  services = run(['infra/local/run.mjs', 'services'], env);
  environment = await appears(services, 'environment.json', () => readJson(environmentFile()));
  settings = readJson(settingsFile()) as typeof settings;
});
after(async () => {
  killAll();
  // What lives on without its parent ends by itself; until then the files are its own.
  (await acquireDirectory(join(stateDir, 'claims'), 'test', { waitMs: 120_000 }))();
  packaged?.remove();
  rmSync(checkout, { recursive: true, force: true });
  openssl.remove();
});

function environmentFile(): string {
  return join(stateDir, 'environment.json');
}

function settingsFile(): string {
  return join(checkout, 'local.settings.json');
}

/**
 * Runs Node in the checkout with this environment and no other. The channel is a lifeline, by which a process ends when this test
 * is gone; nothing is said over it.
 */
function run(args: string[], env: Record<string, string | undefined>): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: checkout,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { PATH, ...env },
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Waits for what a process is to bring about, and fails at once when it ends instead. */
function appears<T>(child: ChildProcess, what: string, probe: () => Promise<unknown> | unknown): Promise<T> {
  return until(what, async () => {
    assert.equal(child.exitCode ?? child.signalCode, null, `the process ended without ${what}`);
    return (await probe()) as T | undefined;
  });
}

async function stop(child: ChildProcess): Promise<number | null> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
  return child.exitCode;
}

function readJson(path: string): unknown {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** The project's own functions host as a stranger: nobody tells it of the time, and its settings come from the file. */
function startHost(): ChildProcess {
  const { masterKey } = environment;
  const appDir = packaged.folder;
  const config = { appDir, port: settings.Host.LocalHttpPort, masterKey, hostId: 'stranger' };
  return run(['--import', './infra/local/clock/preload.ts', 'infra/local/host/main.ts'], {
    ...settings.Values,
    EVERLEAF_PROCESS_CONFIG: JSON.stringify(config),
  });
}

async function login(name: string): Promise<LoginAnswer> {
  const file = join(environment.files.loginDir, 'management', `${name}.yaml`);
  const { token } = parse(readFileSync(file, 'utf8')) as { token: string };
  const { csr } = openssl.keyAndRequest(CLIENT_KEYS['EC P-256'], { name });
  const body = JSON.stringify({ token, csr });
  const response = await fetch(`${environment.baseUrl}/api/login`, { method: 'POST', body });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as LoginAnswer;
}

async function timeAt(url: string): Promise<Date> {
  return new Date(((await (await fetch(url)).json()) as { now: string }).now);
}

describe('npm run services', () => {
  it('ends its start with settings for a host, for the owner alone, and nobody at the app’s address', async () => {
    assert.equal(settings.Values['FUNCTIONS_WORKER_RUNTIME'], 'node');
    assert.equal(environment.baseUrl, `http://127.0.0.1:${settings.Host.LocalHttpPort}`);
    assert.equal(statSync(settingsFile()).mode & 0o777, 0o600);
    assert.equal(statSync(environment.files.caBundle).mode & 0o777, 0o600);
    await assert.rejects(fetch(environment.baseUrl), TypeError);
  });

  it('serves a host that it does not know, with the package alone in a folder: an agent logs in there', async () => {
    const started = startHost();
    host = started;
    await appears(started, 'a healthy app', async () => {
      const health = await fetch(`${environment.baseUrl}/api/health`).catch(() => null);
      return health?.status === 200 ? true : undefined;
    });
    const { certificate, caBundle } = await login('KMS');
    assert.equal(readFileSync(environment.files.caBundle, 'utf8'), caBundle);
    const at = await timeAt(environment.clock.url);
    openssl.verify(certificate, caBundle, { at, purpose: 'sslclient' });
  });

  it('takes that host along when time moves', async () => {
    const before = await timeAt(environment.clock.url);
    const body = JSON.stringify({ advance: 'P50D' });
    const moved = await fetch(environment.clock.url, { method: 'POST', body });
    assert.equal(moved.status, 200);
    const then = before.getTime() + 50 * DAY_MS;
    await until('the host in the new time', async () => {
      const now = await timeAt(`${environment.baseUrl}/local/clock`);
      return now.getTime() >= then ? true : undefined;
    });
    // The vault refuses an app whose tokens are of another time; a certificate says what time its signer believes in.
    const { certificate, caBundle, notBefore } = await login('NodeAgent');
    assert.ok(Date.parse(notBefore) + 300_000 >= then - 1000, notBefore);
    openssl.verify(certificate, caBundle, { at: await timeAt(environment.clock.url), purpose: 'sslclient' });
  });

  it('stops in good order and takes its settings back', async () => {
    assert.ok(host);
    assert.equal(await stop(host), 0);
    assert.equal(await stop(services), 0);
    assert.equal(existsSync(settingsFile()), false);
    assert.equal(existsSync(environmentFile()), false);
  });
});
