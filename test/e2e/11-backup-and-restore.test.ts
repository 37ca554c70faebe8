/** The tables are dropped and the authority is deleted; a backup of the same day brings the fleet back. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { TableServiceClient } from '@azure/data-tables';
import { ContainerClient } from '@azure/storage-blob';
import { LocalEnvironment } from '../support/local-environment.ts';
import { makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';

const CHECKOUT = fileURLToPath(new URL('../../', import.meta.url));
const PRELOAD = new URL('../../infra/local/clock/preload.ts', import.meta.url).href;
const TABLES = ['EverleafRecord', 'EverleafSerials', 'EverleafKeys', 'EverleafCounters', 'EverleafAnswers'];

let stateDir: string;
let everleaf: LocalEnvironment;

before(async () => {
  stateDir = makeStateDirectory();
  everleaf = await LocalEnvironment.start(stateDir);
});
after(async () => {
  await everleaf?.stop();
  await removeStateDirectory(stateDir);
});

/** One run of a program of the checkout against the environment, in its time. */
async function run(program: string, ...args: readonly string[]): Promise<{ code: number; output: string }> {
  const { PATH, HOME } = process.env;
  const clock = join(stateDir, 'clock.json');
  const env = { PATH, HOME, EVERLEAF_STATE_DIR: stateDir, EVERLEAF_CLOCK_FILE: clock };
  try {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--import', PRELOAD, join(CHECKOUT, program), ...args],
      { cwd: CHECKOUT, env },
    );
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: `${stdout}${stderr}` };
  }
}

const restore = (...args: readonly string[]) =>
  run(
    'infra/restore/main.ts',
    '--file',
    join(stateDir, 'backup.age'),
    '--identity',
    join(stateDir, 'backup-identity.txt'),
    ...args,
  );

const agent = () =>
  run(
    'cli/everleaf.ts',
    'agent',
    '--login-file',
    join(everleaf.env.files.loginDir, 'management/NodeAgent.yaml'),
    '--dir',
    join(stateDir, 'agent'),
    '--server',
    everleaf.env.baseUrl,
    '--once',
  );

describe('a fleet that is lost but for its backup', () => {
  it('has an agent, and is backed up for an identity that the owner of the state directory alone can read', async () => {
    assert.equal((await agent()).code, 0);
    await everleaf.runTimer('backup');
    const container = new ContainerClient(everleaf.env.storageConnectionString, 'backups');
    const names: string[] = [];
    for await (const { name } of container.listBlobsFlat()) names.push(name);
    assert.equal(names.length, 1);
    const content = await container.getBlockBlobClient(names[0] ?? '').downloadToBuffer();
    await writeFile(join(stateDir, 'backup.age'), content);
    assert.equal(statSync(join(stateDir, 'backup-identity.txt')).mode & 0o777, 0o600);
    const { reasons } = await everleaf.status();
    assert.deepEqual(reasons, []);
  });

  it('is not overwritten while it is there, nor by another file than was asked for', async () => {
    const { code, output } = await restore();
    assert.equal(code, 1, output);
    assert.match(output, /The record is not empty/);
    const other = await restore('--sha256', 'ab'.repeat(32));
    assert.equal(other.code, 1, other.output);
    assert.match(other.output, /is not the one whose SHA-256 is/);
  });

  it('is put back after its tables were dropped and its vault’s objects deleted', async () => {
    await untilQuiet();
    const tables = TableServiceClient.fromConnectionString(everleaf.env.storageConnectionString, {
      allowInsecureConnection: true,
    });
    for (const table of TABLES) await tables.deleteTable(table);
    const authority = (await vaultNames('certificates')).find((name) => name.startsWith('authority--'));
    for (const path of [`certificates/${authority}`, 'secrets/rotation-key']) await deleteInVault(path);
    assert.equal((await everleaf.api('/api/health')).status, 503);

    const dry = await restore('--dry-run');
    assert.equal(dry.code, 0, dry.output);
    assert.match(dry.output, /The secret "rotation-key" of the vault would be restored/);
    const { code, output } = await restore();
    assert.equal(code, 0, output);
    assert.match(output, /The secret "rotation-key" of the vault was recovered/);
    assert.match(output, /\d+ rows are in the record/);
    assert.match(output, /Checkpoints here know of the entries 1 to \d+ of the audit log "_fleet"/);
    assert.match(output, /Run the timers reconcile, then renew-due/);
    assert.equal((await restore('--resume')).code, 1, 'a second time there is something to overwrite');
  });

  it('lives on: its agent renews, its timers run, its status is good', async () => {
    assert.equal((await everleaf.api('/api/health')).status, 200);
    for (const timer of ['reconcile', 'renew-due', 'seal-audit']) await everleaf.runTimer(timer);
    const { reasons, timers } = await everleaf.status();
    assert.deepEqual(reasons, []);
    assert.deepEqual(
      timers.filter(({ lastErrorCode }) => lastErrorCode !== null),
      [],
    );
    await everleaf.advance('P46D', { settle: true });
    const { code, output } = await agent();
    assert.equal(code, 0, output);
    assert.match(output, /Renewed/);
    // What was sealed after the backup is lost for good, and the checkpoints know: that a backup had been written.
    const verified = await run('cli/verify-audit.ts');
    assert.match(verified.output, /^management: whole/m);
    assert.match(verified.output, /^_fleet: forged: .* checkpoint of entry \d+ /m);
  });
});

/** Everything is sealed, and it is just behind a tick: for minutes no timer comes that would make a new fleet in empty tables. */
async function untilQuiet(): Promise<void> {
  const now = await everleaf.now();
  const left = 300 - ((now.getTime() / 1000) % 300);
  await everleaf.advance(`PT${Math.ceil(left) + 305}S`, { settle: true });
}

async function callVault(method: string, path: string): Promise<unknown> {
  const response = await fetch(`${everleaf.env.endpoints.authorityVault}/${path}?api-version=2025-07-01`, {
    method,
    headers: { authorization: `Bearer ${everleaf.personToken.trim()}` },
  });
  assert.equal(response.status, 200, `${method} ${path}`);
  return response.json();
}

async function vaultNames(collection: string): Promise<readonly string[]> {
  const { value } = (await callVault('GET', collection)) as { value: readonly { id: string }[] };
  return value.map(({ id }) => id.split('/').at(-1) ?? '');
}

const deleteInVault = (path: string) => callVault('DELETE', path);
