import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Azurite, startAzurite } from '../../support/azurite.ts';
import { writeFunctionApp } from '../../support/function-app.ts';

const MAIN = fileURLToPath(new URL('../../../infra/local/host/main.ts', import.meta.url));
const CLOCK_PRELOAD = new URL('../../../infra/local/clock/preload.ts', import.meta.url).href;

const SOURCE = `
  app.timer('daily', { schedule: '0 0 0 * * *', handler: (timer, context) => context.log('ran at', new Date().toISOString(), timer.isPastDue) });
  app.get('page', () => ({ body: process.env.GREETING }));
  app.get('rejects', () => { Promise.reject(new Error('nobody waits for this')); return {}; });
  app.get('slow', (request, context) => new Promise((resolve) => { context.log('slow has begun'); setTimeout(() => resolve({ body: 'slow' }), 300); }));
  app.hook.appTerminate(() => console.log('appTerminate has run'));
`;

interface Child {
  process: ChildProcess;
  output(): string;
  /** Resolves when the output has this text. */
  said(text: string): Promise<void>;
}

describe('The functions host as a local process', () => {
  let azurite: Azurite;
  let appDir = '';
  let removeApp = async () => {};
  const children: ChildProcess[] = [];
  before(async () => {
    azurite = await startAzurite({ clock: true });
    ({ appDir, remove: removeApp } = await writeFunctionApp({ functions: { 'all.js': SOURCE } }));
  });
  after(async () => {
    await azurite.stop();
    await removeApp();
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  /** Starts it as the supervisor does. */
  function start(config: object = {}, offsetMs = 0): Child {
    const child = fork(MAIN, {
      execArgv: ['--import', CLOCK_PRELOAD],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        PATH: process.env['PATH'],
        GREETING: 'from the settings',
        EVERLEAF_CLOCK_OFFSET_MS: String(offsetMs),
        EVERLEAF_PROCESS_CONFIG: JSON.stringify({
          appDir,
          port: 0,
          masterKey: 'key',
          hostId: 'process-test',
          storageConnectionString: azurite.connectionString,
          ...config,
        }),
      },
    });
    children.push(child);
    let output = '';
    const listeners = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        output += String(chunk);
        for (const listener of listeners) listener();
      });
    }
    const said = (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!output.includes(text)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
      });
    return { process: child, output: () => output, said };
  }

  async function ready(child: Child): Promise<{ baseUrl: string; functions: string[] }> {
    const [message] = (await once(child.process, 'message')) as [
      { type: string; info: never; message?: string },
    ];
    assert.equal(message.type, 'ready', message.message);
    return message.info;
  }

  it('reports where it listens and what it runs, with settings from its environment', async () => {
    const info = await ready(start());
    assert.deepEqual(info.functions, ['daily', 'page', 'rejects', 'slow']);
    assert.equal(await (await fetch(`${info.baseUrl}/api/page`)).text(), 'from the settings');
  });

  it('asks the supervisor for each move of the clock and answers when all have moved', async () => {
    const child = start();
    const { baseUrl } = await ready(child);
    child.process.on('message', (message: { type: string; id: number; ms: number }) => {
      if (message.type !== 'advance') return;
      const offsetMs = message.ms;
      void azurite.setClock(offsetMs).then(() => {
        child.process.once('message', () =>
          child.process.send({ type: 'advanced', id: message.id, offsetMs }),
        );
        child.process.send({ type: 'clock', offsetMs });
      });
    });
    const body = JSON.stringify({ advance: 'P60D', settle: true });
    const response = await fetch(`${baseUrl}/local/clock`, { method: 'POST', body });
    const { now } = (await response.json()) as { now: string };
    assert.ok(Date.parse(now) >= Date.now() + 60 * 86_400_000 - 5000);
    const runs = child.output().match(/ran at \S+ true/g) ?? [];
    assert.equal(runs.length, 1);
    assert.ok(Date.parse(runs[0]?.split(' ')[2] ?? '') >= Date.now() + 60 * 86_400_000 - 5000);
  });

  it('lets what runs end when it is told to stop, and runs the appTerminate hooks', async () => {
    const child = start();
    const { baseUrl } = await ready(child);
    const slow = fetch(`${baseUrl}/api/slow`);
    await child.said('slow has begun');
    child.process.send({ type: 'stop' });
    assert.equal(await (await slow).text(), 'slow');
    const [code] = await once(child.process, 'exit');
    assert.equal(code, 0);
    assert.match(child.output(), /appTerminate has run/);
  });

  it('ends when its supervisor is gone', async () => {
    const child = start();
    await ready(child);
    child.process.disconnect();
    const [code] = await once(child.process, 'exit');
    assert.equal(code, 0);
  });

  it('dies of an unhandled rejection, as the real worker does, and says of which', async () => {
    const child = start();
    const { baseUrl } = await ready(child);
    await fetch(`${baseUrl}/api/rejects`).catch(() => undefined);
    if (child.process.exitCode === null) await once(child.process, 'exit');
    assert.equal(child.process.exitCode, 1);
    assert.match(child.output(), /Worker uncaught exception: Error: nobody waits for this/);
  });

  it('says to its supervisor why it cannot start', async () => {
    const streaming = await writeFunctionApp({
      functions: { 'a.js': `app.setup({ enableHttpStream: true }); app.get('x', () => ({}));` },
    });
    const cases: [config: object, why: RegExp][] = [
      [{ appDir: '/nowhere' }, /\/nowhere\/host\.json cannot be read/],
      [{ hostId: 'Not An Id' }, /host id "Not An Id" must be 1 to 32/],
      [
        { port: Number(new URL(azurite.blobUrl).port) },
        /cannot listen on 127\.0\.0\.1:\d+: another program listens there/,
      ],
      [
        { appDir: streaming.appDir },
        /enableHttpStream: true \}\) is not supported by the local functions host/,
      ],
    ];
    for (const [config, why] of cases) {
      const child = start(config);
      const [message] = (await once(child.process, 'message')) as [{ type: string; message: string }];
      assert.equal(message.type, 'failed');
      assert.match(message.message, why);
    }
    await streaming.remove();
  });
});
