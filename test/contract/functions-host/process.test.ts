import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import { type Azurite, startAzurite } from '../../support/azurite.ts';
import { writeFunctionApp } from '../../support/function-app.ts';
import { type HostProcess, type HostProcessOptions, startHostProcess } from './host-process.ts';

const SOURCE = `
  app.timer('daily', { schedule: '0 0 0 * * *', handler: (timer, context) => context.log('ran at', new Date().toISOString(), timer.isPastDue) });
  app.get('page', () => ({ body: process.env.GREETING }));
  app.get('rejects', () => { Promise.reject(new Error('nobody waits for this')); return {}; });
  app.get('slow', (request, context) => new Promise((resolve) => { context.log('slow has begun'); setTimeout(() => resolve({ body: 'slow' }), 300); }));
  app.hook.appTerminate(() => console.log('appTerminate has run'));
`;

describe('The functions host as a local process', () => {
  let azurite: Azurite;
  let appDir = '';
  let removeApp = async () => {};
  const children: HostProcess[] = [];
  before(async () => {
    azurite = await startAzurite({ clock: true });
    ({ appDir, remove: removeApp } = await writeFunctionApp({ functions: { 'all.js': SOURCE } }));
  });
  after(async () => {
    await azurite.stop();
    await removeApp();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.end('SIGKILL');
  });

  function start(options: Partial<HostProcessOptions> = {}): HostProcess {
    const child = startHostProcess({
      appDir,
      storageConnectionString: azurite.connectionString,
      settings: { GREETING: 'from the settings' },
      ...options,
    });
    children.push(child);
    return child;
  }

  it('reports where it listens and what it runs, with settings from its environment', async () => {
    const info = await start().ready();
    assert.deepEqual(info.functions, ['daily', 'page', 'rejects', 'slow']);
    assert.equal(await (await fetch(`${info.baseUrl}/api/page`)).text(), 'from the settings');
  });

  it('asks the supervisor for each move of the clock and answers when all have moved', async () => {
    const child = start();
    const { baseUrl } = await child.ready();
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
    const { baseUrl } = await child.ready();
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
    await child.ready();
    child.process.disconnect();
    const [code] = await once(child.process, 'exit');
    assert.equal(code, 0);
  });

  it('dies of an unhandled rejection, as the real worker does, and says of which', async () => {
    const child = start();
    const { baseUrl } = await child.ready();
    await fetch(`${baseUrl}/api/rejects`).catch(() => undefined);
    if (child.process.exitCode === null) await once(child.process, 'exit');
    assert.equal(child.process.exitCode, 1);
    assert.match(child.output(), /Worker uncaught exception: Error: nobody waits for this/);
  });

  it('says to its supervisor why it cannot start', async () => {
    const cases: [config: Partial<HostProcessOptions>, why: RegExp][] = [
      [{ appDir: '/nowhere' }, /\/nowhere\/host\.json cannot be read/],
      [{ hostId: 'Not An Id' }, /host id "Not An Id" must be 1 to 32/],
      [
        { port: Number(new URL(azurite.blobUrl).port) },
        /cannot listen on 127\.0\.0\.1:\d+: another program listens there/,
      ],
    ];
    for (const [config, why] of cases) {
      const child = start(config);
      const [message] = (await once(child.process, 'message')) as [{ type: string; message: string }];
      assert.equal(message.type, 'failed');
      assert.match(message.message, why);
    }
  });
});
