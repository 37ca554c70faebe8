import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import { QueueClient } from '@azure/storage-queue';
import { type Azurite, startAzurite } from '../../support/azurite.ts';
import { writeFunctionApp } from '../../support/function-app.ts';
import { type HostProcess, type HostProcessOptions, startHostProcess } from './host-process.ts';

const SOURCE = `
  app.timer('daily', { schedule: '0 0 0 * * *', handler: (timer, context) => context.log('ran at', new Date().toISOString(), timer.isPastDue) });
  app.get('page', () => ({ body: process.env.GREETING }));
  app.get('rejects', () => { Promise.reject(new Error('nobody waits for this')); return {}; });
  app.get('slow', (request, context) => new Promise((resolve) => { context.log('slow has begun'); setTimeout(() => resolve({ body: 'slow' }), 300); }));
  const isReleased = new Promise((resolve) => process.on('message', (message) => message.type === 'release' && resolve()));
  app.get('held', async (request, context) => { context.log('held has begun'); await isReleased; return { body: 'released' }; });
  app.storageQueue('work', { queueName: 'drained', connection: 'AzureWebJobsStorage', handler: async (message, context) => {
    context.log('message ' + message + ' has begun');
    await isReleased;
  } });
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
    assert.deepEqual(info.functions, ['daily', 'held', 'page', 'rejects', 'slow', 'work']);
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
    // Instants are whole seconds, rounded down.
    const earliest = Date.now() - 1000 + 60 * 86_400_000;
    const response = await fetch(`${baseUrl}/local/clock`, { method: 'POST', body });
    const { now } = (await response.json()) as { now: string };
    assert.ok(Date.parse(now) >= earliest);
    const runs = child.output().match(/ran at \S+ true/g) ?? [];
    assert.equal(runs.length, 1);
    assert.ok(Date.parse(runs[0]?.split(' ')[2] ?? '') >= earliest);
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

  it('drains on SIGTERM: request, message and timer end, their outcome is written, nothing new begins', async () => {
    const queue = new QueueClient(azurite.connectionString, 'drained');
    const child = start({ hostId: 'drain-test' });
    const { baseUrl } = await child.ready();
    await queue.sendMessage(Buffer.from('one').toString('base64'));
    await child.said('message one has begun');
    const held = fetch(`${baseUrl}/api/held`);
    await child.said('held has begun');
    const ended = child.end('SIGTERM');
    // Once it takes no more connections it is draining.
    await refused(baseUrl);
    await queue.sendMessage(Buffer.from('two').toString('base64'));
    child.process.send({ type: 'release' });
    assert.equal(await (await held).text(), 'released');
    assert.equal(await ended, 0);
    assert.match(child.output(), /appTerminate has run/);
    assert.doesNotMatch(child.output(), /message two has begun/);
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    assert.deepEqual(
      receivedMessageItems.map(({ messageText }) => Buffer.from(messageText, 'base64').toString()),
      ['two'],
    );
  });

  it('ends after functionTimeout, once the caller has its 500, when the function goes on', async () => {
    const endless = await writeFunctionApp({
      functions: { 'a.js': `app.get('endless', () => new Promise(() => {}));` },
      hostJson: { version: '2.0', functionTimeout: '00:00:01' },
    });
    const child = start({ appDir: endless.appDir });
    const { baseUrl } = await child.ready();
    const exited = once(child.process, 'exit');
    assert.equal((await fetch(`${baseUrl}/api/endless`)).status, 500);
    assert.deepEqual(await exited, [1, null]);
    assert.match(
      child.output(),
      /Timeout value of 00:00:01 exceeded by function 'Functions\.endless' \(Id: '[0-9a-f-]{36}'\)\. Initiating cancellation\./,
    );
    assert.match(
      child.output(),
      /A function timeout has occurred\. Restarting worker process executing invocationId '[0-9a-f-]{36}'\./,
    );
    await endless.remove();
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

/** Resolves when nothing listens there any more. */
async function refused(baseUrl: string): Promise<void> {
  for (;;) {
    try {
      await fetch(baseUrl, { headers: { connection: 'close' } });
    } catch {
      return;
    }
  }
}
