import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { QueueClient } from '@azure/storage-queue';
import { type Azurite, startAzurite } from '../../support/azurite.ts';
import { writeFunctionApp } from '../../support/function-app.ts';
import { type HostProcess, startHostProcess } from './host-process.ts';

const DAY = 86_400_000;
const SOURCE = `
  let release;
  const isReleased = new Promise((resolve) => { release = resolve; });
  app.get('release', () => { release(); return {}; });
  app.timer('daily', { schedule: '0 0 0 * * *', handler: async (timer, context) => {
    context.log('daily has begun, past due: ' + timer.isPastDue);
    if (process.env.HOLD === 'daily') await isReleased;
  } });
  app.storageQueue('work', { queueName: process.env.QUEUE, connection: 'AzureWebJobsStorage', handler: async (message, context) => {
    context.log('message <' + message + '>');
    if (process.env.HOLD === 'work') await isReleased;
  } });
`;
const HOST_JSON = {
  version: '2.0',
  extensions: { queues: { batchSize: 2, newBatchThreshold: 0, maxPollingInterval: '00:00:00.2' } },
};

describe('Two functions hosts on one storage', () => {
  let azurite: Azurite;
  let appDir = '';
  let removeApp = async () => {};
  let offsetMs = 0;
  let tests = 0;
  const hosts: HostProcess[] = [];
  before(async () => {
    azurite = await startAzurite({ clock: true });
    ({ appDir, remove: removeApp } = await writeFunctionApp({
      functions: { 'all.js': SOURCE },
      hostJson: HOST_JSON,
    }));
  });
  after(async () => {
    await azurite.stop();
    await removeApp();
  });
  beforeEach(() => {
    tests += 1;
  });
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.end('SIGKILL');
  });

  const queueName = () => `shared-${tests}`;

  async function start(settings: Record<string, string> = {}, port = 0): Promise<[HostProcess, string]> {
    const host = startHostProcess({
      appDir,
      port,
      storageConnectionString: azurite.connectionString,
      hostId: `several-${tests}`,
      offsetMs,
      settings: { QUEUE: queueName(), ...settings },
    });
    hosts.push(host);
    return [host, (await host.ready()).baseUrl];
  }

  /** In the supervisor's order: the storage first. */
  async function move(ms: number): Promise<void> {
    offsetMs += ms;
    await azurite.setClock(offsetMs);
    for (const host of hosts)
      if (host.process.exitCode === null && host.process.signalCode === null) await host.setClock(offsetMs);
  }

  async function settle(...baseUrls: string[]): Promise<void> {
    for (const baseUrl of baseUrls) {
      assert.equal((await fetch(`${baseUrl}/local/settle`, { method: 'POST' })).status, 200);
    }
  }

  const runs = (host: HostProcess) => host.output().match(/daily has begun/g)?.length ?? 0;
  const portOf = (baseUrl: string) => Number(new URL(baseUrl).port);

  it('runs each time of a timer once, on either', async () => {
    const [a, urlA] = await start();
    const [b, urlB] = await start();
    for (let day = 1; day <= 4; day += 1) {
      await move(day * DAY);
      await settle(urlA, urlB);
      assert.equal(runs(a) + runs(b), day);
    }
  });

  it('takes over from a host that was killed once its lease is over', async () => {
    const [a] = await start();
    const [b, urlB] = await start();
    await a.end('SIGKILL');
    await settle(urlB);
    assert.equal(runs(b), 0);
    await move(DAY);
    await settle(urlB);
    assert.equal(runs(b), 1);
    assert.match(b.output(), /daily has begun, past due: true/);
  });

  it('takes over at once from a host that ended in good order', async () => {
    const [a] = await start();
    const [b, urlB] = await start();
    assert.equal(await a.end('SIGTERM'), 0);
    await settle(urlB);
    await move(DAY);
    await settle(urlB);
    assert.equal(runs(b), 1);
  });

  it('gives a timer back at once to a host that starts again on its port', async () => {
    const [a, urlA] = await start();
    const [b, urlB] = await start();
    await a.end('SIGKILL');
    const [again, urlAgain] = await start({}, portOf(urlA));
    await settle(urlB, urlAgain);
    await move(DAY);
    await settle(urlAgain, urlB);
    assert.equal(runs(again) + runs(b), 1);
  });

  it('leaves a run alone that the clock jumps over', async () => {
    const [a, urlA] = await start({ HOLD: 'daily' });
    const [b, urlB] = await start();
    await move(DAY);
    await a.said('daily has begun');
    await move(DAY);
    await fetch(`${urlA}/api/release`);
    await settle(urlA, urlB);
    assert.equal(runs(a), 2, 'the second makes up for the jump');
    assert.equal(runs(b), 0);
  });

  it('hands each message to one of them', async () => {
    const [a, urlA] = await start();
    const [b, urlB] = await start();
    const queue = new QueueClient(azurite.connectionString, queueName());
    for (let at = 0; at < 30; at += 1) await queue.sendMessage(Buffer.from(`m${at}`).toString('base64'));
    await settle(urlA, urlB, urlA);
    const seen = `${a.output()}${b.output()}`.match(/message <m\d+>/g) ?? [];
    assert.equal(seen.length, 30);
    assert.equal(new Set(seen).size, 30);
  });

  it('keeps a message in work from the other when the clock jumps', async () => {
    const [a, urlA] = await start({ HOLD: 'work' });
    const queue = new QueueClient(azurite.connectionString, queueName());
    await queue.sendMessage(Buffer.from('long').toString('base64'), { messageTimeToLive: -1 });
    await a.said('message <long>');
    await move(DAY);
    // The host makes it invisible anew when it learns of the jump, which takes it a moment.
    while ((await queue.peekMessages()).peekedMessageItems.length > 0);
    const [b, urlB] = await start();
    await settle(urlB);
    assert.doesNotMatch(b.output(), /message <long>/);
    await fetch(`${urlA}/api/release`);
    await settle(urlA, urlB);
    assert.equal((await queue.getProperties()).approximateMessagesCount, 0);
  });
});
