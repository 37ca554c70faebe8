import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { decodeJwt } from 'jose';
import { acquireDirectory } from '../../../infra/local/supervisor/claims.mjs';
import type { Environment } from '../../../infra/local/supervisor/environment-file.ts';
import { DrivenRun } from './driven-run.ts';
import { type Entry, makeCheckout, readJournal } from './small-checkout.ts';

let scratch: string;
let checkout: string;
let stateDir: string;
const runs = new Set<DrivenRun>();

before(() => {
  scratch = mkdtempSync(join(tmpdir(), 'everleaf-environment-'));
});
afterEach(async () => {
  for (const run of runs) await run.kill();
  runs.clear();
  // Its children end by themselves; until they have, their files are theirs.
  (await acquireDirectory(join(stateDir, 'claims'), 'test', { waitMs: 60_000 }))();
});
after(() => rmSync(scratch, { recursive: true, force: true }));

function place(name: string, firstStart?: string): void {
  checkout = join(scratch, name);
  stateDir = join(checkout, 'state');
  makeCheckout(checkout, firstStart);
}

function start(): DrivenRun {
  const run = new DrivenRun(checkout, stateDir);
  runs.add(run);
  return run;
}

async function startedReady(): Promise<{ run: DrivenRun; environment: Environment }> {
  const run = start();
  await run.line(/^ready /);
  return { run, environment: environmentFile() };
}

function environmentFile(): Environment {
  return JSON.parse(readFileSync(join(stateDir, 'environment.json'), 'utf8')) as Environment;
}

function pidOf(environment: Environment, role: string): number {
  const found = environment.processes.find((process) => process.role === role);
  assert.ok(found, `${role} stands in environment.json`);
  return found.pid;
}

function entry(event: string): Entry {
  const found = readJournal(checkout).find((each) => each.event === event);
  assert.ok(found, `${event} stands in the journal`);
  return found;
}

describe('the environment', () => {
  it('starts in order, writes its files, and stops in the reverse order without a trace of running', async () => {
    place('order');
    const { run, environment } = await startedReady();
    assert.deepEqual(
      run.seen.filter((text) => !text.startsWith('ready')),
      [
        'Starting storage',
        'Starting the identity provider',
        'Starting the key vaults',
        'Preparing the authority and the management cluster',
        '  made the authority',
        'Starting the functions',
      ],
    );
    assert.equal(environment.version, '9.8.7');
    assert.deepEqual(
      environment.processes.map(({ role }) => role),
      ['supervisor', 'storage', 'issuer', 'vault', 'functions'],
    );
    for (const name of [
      'operator.token',
      'reader.token',
      'person.token',
      'ca-bundle.pem',
      'environment.json',
      'logs/functions.log',
    ]) {
      assert.equal(statSync(join(stateDir, name)).mode & 0o777, 0o600, name);
    }
    assert.equal(statSync(stateDir).mode & 0o777, 0o700);
    assert.deepEqual(decodeJwt(readFileSync(environment.files.operatorToken, 'utf8'))['roles'], [
      'Everleaf.Operator',
    ]);
    assert.equal(decodeJwt(readFileSync(environment.files.readerToken, 'utf8')).aud, 'api://everleaf');
    const person = decodeJwt(readFileSync(join(stateDir, 'person.token'), 'utf8'));
    assert.equal(person.aud, 'https://vault.azure.net');

    assert.equal(await run.stop(), 0);
    assert.equal(existsSync(join(stateDir, 'environment.json')), false);
    const journal = readJournal(checkout);
    assert.deepEqual(
      journal.map(({ event }) => event),
      ['vault started', 'first start', 'functions started', 'functions stopped', 'vault stopped'],
    );
    type Assignments = { assignments: { principalId: string; role: string }[] };
    const { assignments } = entry('vault started')['config'] as Assignments;
    assert.deepEqual(
      assignments.map(({ role }) => role),
      ['authorityVault', 'rotationKey', 'clientVault', '*', '*'],
    );
    assert.equal(assignments[4]?.principalId, person['oid']);
  });

  it('gives the app its settings and nothing else of the environment', async () => {
    place('settings');
    const { run, environment } = await startedReady();
    assert.equal(await run.stop(), 0);
    const settings = entry('functions started')['environment'] as Record<string, string>;
    const own = Object.keys(settings).filter((name) => !/^(PATH|NODE_CHANNEL_.*|EVERLEAF_.*)$/.test(name));
    assert.deepEqual(own.sort(), [
      'AUDIT_SEAL_SCHEDULE',
      'AUTHORITY_VAULT_URL',
      'AZURE_CLIENT_ID',
      'AzureWebJobsStorage',
      'BACKUP_RECIPIENTS',
      'BACKUP_SCHEDULE',
      'CLIENT_VAULT_URL',
      'CLOUD_FQDN',
      'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
      'IDENTITY_ENDPOINT',
      'IDENTITY_HEADER',
      'OPERATOR_AUDIENCE',
      'OPERATOR_ISSUER',
      'OPERATOR_TENANT_ID',
      'PUBLIC_BASE_URL',
      'PUBLISH_CRL_SCHEDULE',
      'RECONCILE_SCHEDULE',
      'RECORD_STORAGE',
      'RENEW_DUE_SCHEDULE',
      'RENEW_RESPONDERS_SCHEDULE',
      'ROLL_AUTHORITY_SCHEDULE',
      'TOKEN_VALIDITY_DAYS',
      'TRUST_DOMAIN',
      'WATCH_FLEET_SCHEDULE',
    ]);
    assert.equal(settings['PUBLIC_BASE_URL'], environment.baseUrl);
    assert.equal(settings['TOKEN_VALIDITY_DAYS'], '7');
    const firstStart = entry('first start')['environment'] as Record<string, string>;
    assert.equal(firstStart['EVERLEAF_LOGIN_DIR'], environment.files.loginDir);
  });

  it('moves time everywhere at once, and keeps it for the next start', async () => {
    place('clock');
    const first = await startedReady();
    const days = 50 * 86_400_000;
    const answer = await fetch(`${first.environment.baseUrl}/advance?ms=${days}`);
    const { offsetMs, now } = (await answer.json()) as { offsetMs: number; now: number };
    assert.equal(offsetMs, days);
    const back = await fetch(`${first.environment.baseUrl}/advance?ms=-1`);
    assert.match(((await back.json()) as { error: string }).error, /0 or more/);
    assert.equal(await first.run.stop(), 0);
    const journal = readJournal(checkout);
    assert.ok(now - (journal[0]?.now ?? 0) >= days, 'the host is in the new time when it gets its answer');
    assert.ok((journal.at(-1)?.now ?? 0) - (journal[0]?.now ?? 0) >= days, 'and so is the vault');

    const second = await startedReady();
    assert.equal(second.environment.clock.offsetSeconds, days / 1000);
    assert.equal(second.environment.baseUrl, first.environment.baseUrl);
    assert.deepEqual(second.environment.endpoints, first.environment.endpoints);
    assert.equal(second.environment.masterKey, first.environment.masterKey);
    assert.equal(await second.run.stop(), 0);
    assert.ok((readJournal(checkout).at(-1)?.now ?? 0) >= now);
  });

  it('names the process that died, stops the others and fails', async () => {
    place('death');
    const { run, environment } = await startedReady();
    process.kill(pidOf(environment, 'vault'), 'SIGKILL');
    assert.equal(await run.exited(), 1);
    assert.match(
      await run.line(/^failed/),
      /The vault process ended unexpectedly \(signal SIGKILL\).*npm start/,
    );
    assert.equal(existsSync(join(stateDir, 'environment.json')), false);
    assert.equal(readJournal(checkout).at(-1)?.event, 'functions stopped');
  });

  it('leaves nothing running when its process group is killed, and starts again at once', async () => {
    place('killed');
    const first = await startedReady();
    await first.run.kill();
    assert.ok(existsSync(join(stateDir, 'environment.json')), 'nobody was there to remove it');
    const second = await startedReady();
    assert.equal(second.environment.baseUrl, first.environment.baseUrl);
    const pids = ({ processes }: Environment) => processes.map(({ pid }) => pid);
    const before = new Set(pids(first.environment));
    assert.deepEqual(
      pids(second.environment).filter((pid) => before.has(pid)),
      [],
    );
    assert.equal(await second.run.stop(), 0);
  });

  it('leaves nothing running when only the supervisor is killed', async () => {
    place('headless');
    const { run, environment } = await startedReady();
    process.kill(pidOf(environment, 'supervisor'), 'SIGKILL');
    assert.equal(await run.exited(), 'SIGKILL');
    (await acquireDirectory(join(stateDir, 'claims'), 'test', { waitMs: 60_000 }))();
    const { endpoints, baseUrl } = environment;
    for (const url of [baseUrl, endpoints.issuer, endpoints.blob, endpoints.queue, endpoints.table]) {
      await assert.rejects(fetch(url), TypeError, `nobody listens at ${url}`);
    }
  });

  it('tells how a first start failed, and stops what it had started', async () => {
    place('failing', "console.error('the vault said no'); process.exit(3);");
    const run = start();
    assert.equal(await run.exited(), 1);
    assert.match(await run.line(/^failed/), /first start ended with exit code 3.*npm start/);
    assert.match(readFileSync(join(stateDir, 'logs/first-start.log'), 'utf8'), /the vault said no/);
    assert.equal(readJournal(checkout).at(-1)?.event, 'vault stopped');
  });

  it('can be stopped in the middle of a first start', async () => {
    place('interrupted', "console.log('working'); setInterval(() => undefined, 1000);");
    const run = start();
    await run.line(/working/);
    assert.equal(await run.stop(), 0);
    assert.equal(readJournal(checkout).at(-1)?.event, 'vault stopped');
  });

  it('waits for the run before it, and says for whom', async () => {
    place('waiting');
    const first = await startedReady();
    const second = start();
    const waiting = await second.line(/^Waiting/);
    assert.match(waiting, new RegExp(`supervisor \\(pid ${first.run.pid}\\)`));
    assert.match(waiting, /storage \(pid \d+\)/);
    assert.equal(await first.run.stop(), 0);
    await second.line(/^ready/);
    assert.equal(await second.stop(), 0);
  });
});
