import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadEnvironmentConfig } from '../../../infra/local/supervisor/environment-config.ts';
import { HeldPort } from '../../../infra/local/supervisor/ports.ts';
import { readSupervisorSettings } from '../../../infra/local/supervisor/settings.ts';
import { VirtualClock } from '../../../infra/local/supervisor/virtual-clock.ts';

let stateDir: string;
let server: Server | undefined;

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'everleaf-settings-'));
});
afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(stateDir, { recursive: true, force: true });
});

/** Loads the configuration and lets the ports go again. */
async function load(port: number | null) {
  const { config, ports } = await loadEnvironmentConfig(stateDir, port);
  await Promise.all(Object.values(ports).map((held) => held.release()));
  return config;
}

async function freePort(): Promise<number> {
  const held = await HeldPort.holdAny();
  await held.release();
  return held.port;
}

async function occupy(port: number): Promise<void> {
  server = createServer();
  await new Promise<void>((resolve) => server?.listen(port, '127.0.0.1', resolve));
}

describe('the settings of npm start', () => {
  it('default to .everleaf in the current folder and no port in particular', () => {
    const settings = readSupervisorSettings({}, '/work');
    assert.equal(settings.stateDir, '/work/.everleaf');
    assert.equal(settings.port, null);
  });

  it('hand the policy numbers to the app and nothing else of the environment', () => {
    const { policy, machine } = readSupervisorSettings(
      { PATH: '/bin', TOKEN_VALIDITY_DAYS: '30', AZURE_CLIENT_SECRET: 'x', NODE_OPTIONS: '--inspect' },
      '/work',
    );
    assert.deepEqual(policy, { TOKEN_VALIDITY_DAYS: '30' });
    assert.deepEqual(machine, { PATH: '/bin' });
  });

  it('hand on whose root signs, and every schedule of a timer', () => {
    const settings = {
      AUTHORITY_ROOT: 'outside',
      AUTHORITY_ROOT_SHA256: 'ab'.repeat(32),
      AUDIT_SEAL_SCHEDULE: '0 */7 * * * *',
      RENEW_RESPONDERS_SCHEDULE: '0 21 * * * *',
    };
    assert.deepEqual(readSupervisorSettings(settings, '/').policy, settings);
  });

  for (const port of ['seven', '-1', '65536', '70.71']) {
    it(`refuse EVERLEAF_PORT=${port}`, () => {
      assert.throws(() => readSupervisorSettings({ EVERLEAF_PORT: port }, '/'), /EVERLEAF_PORT/);
    });
  }

  it('refuse to be read inside Azure', () => {
    assert.throws(() => readSupervisorSettings({ WEBSITE_SITE_NAME: 'everleaf' }, '/'), /inside Azure/);
  });
});

describe('the configuration of a state directory', () => {
  it('is made once, private to the owner, and found again with every port and secret', async () => {
    const first = await load(0);
    assert.deepEqual(await load(0), first);
    assert.deepEqual(await load(null), first);
    assert.equal(statSync(join(stateDir, 'environment.config.json')).mode & 0o777, 0o600);
    assert.equal(new Set(Object.values(first.ports)).size, 9, 'nine ports, no two alike');
  });

  it('gets a port that an earlier version did not know, and keeps all the others', async () => {
    const { clock: _, ...ports } = (await load(0)).ports;
    const path = join(stateDir, 'environment.config.json');
    const stored = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...stored, ports }));
    const config = await load(0);
    assert.deepEqual(config, { ...stored, ports: { ...ports, clock: config.ports.clock } });
    assert.ok(config.ports.clock > 0);
    assert.deepEqual(await load(0), config);
  });

  it('takes an explicit port over the stored one and keeps it', async () => {
    const first = await load(0);
    const port = await freePort();
    const second = await load(port);
    assert.deepEqual(second, { ...first, ports: { ...first.ports, functions: port } });
    assert.equal((await load(null)).ports.functions, port);
  });

  it('says what to do when the port of the app is taken', async () => {
    const port = await freePort();
    await occupy(port);
    await assert.rejects(load(port), new RegExp(`Port ${port} .*taken.*EVERLEAF_PORT=`));
  });

  it('says what to do when a port kept for a stand-in is taken, and moves nothing', async () => {
    const first = await load(0);
    await occupy(first.ports.clientVault);
    await assert.rejects(load(null), /taken.*"clientVault".*EVERLEAF_STATE_DIR/);
    server?.close();
    assert.deepEqual(await load(null), first);
  });
});

describe('the virtual clock', () => {
  it('is on disk before anybody is told, and found again', async () => {
    const path = join(stateDir, 'clock.json');
    const clock = new VirtualClock(path);
    const told: number[] = [];
    const offset = await clock.advance(5000, async (offsetMs) => {
      told.push(offsetMs);
      assert.equal(new VirtualClock(path).offsetMs, 5000);
    });
    assert.equal(offset, 5000);
    assert.deepEqual(told, [5000]);
  });

  it('makes one move at a time, each from where the one before ended', async () => {
    const clock = new VirtualClock(join(stateDir, 'clock.json'));
    let moving = 0;
    const tell = async () => {
      moving++;
      assert.equal(moving, 1);
      await new Promise((resolve) => setImmediate(resolve));
      moving--;
    };
    const offsets = await Promise.all([
      clock.advance(10_000, tell),
      clock.advance(500, tell),
      clock.advance(1, tell),
    ]);
    assert.deepEqual(offsets, [10_000, 10_500, 10_501]);
  });

  for (const ms of [-1, 0.5, Number.NaN, 300_000_000_000_000]) {
    it(`refuses to move by ${ms} ms`, async () => {
      const clock = new VirtualClock(join(stateDir, 'clock.json'));
      await assert.rejects(
        clock.advance(ms, async () => undefined),
        RangeError,
      );
      assert.equal(clock.offsetMs, 0);
    });
  }
});
