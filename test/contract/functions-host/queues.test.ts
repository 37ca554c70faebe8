import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { QueueClient } from '@azure/storage-queue';
import { calls, startFunctionApp, type TestHost } from '../../support/function-app.ts';
import { startVirtualStorage, type VirtualStorage } from '../../support/virtual-storage.ts';

const MINUTE = 60_000;
const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('The functions host works on storage queues', () => {
  let storage: VirtualStorage;
  let host: TestHost | undefined;
  let name = '';
  let queues = 0;
  before(async () => {
    storage = await startVirtualStorage();
  });
  after(() => storage.azurite.stop());
  afterEach(async () => {
    await host?.stop();
    host = undefined;
    calls.splice(0);
  });

  /** An app with one queue function on a queue of its own; `then` runs in the handler. */
  async function start(then = '', queueSettings: object = {}, more = ''): Promise<QueueClient> {
    queues += 1;
    name = `work-${queues}`;
    const source = `app.storageQueue('work', { queueName: '%QUEUE%', connection: 'RECORD', handler: async (message, context) => {
      calls.push({ message, metadata: context.triggerMetadata });
      ${then}
    } });`;
    const hostJson = {
      version: '2.0',
      extensions: {
        queues: { visibilityTimeout: '00:01:00', maxPollingInterval: '00:00:00.2', ...queueSettings },
      },
    };
    const settings = { QUEUE: name, RECORD: storage.azurite.connectionString };
    host = await startFunctionApp(
      { functions: { 'work.js': source + more }, hostJson },
      { ...storage.hostOptions, settings },
    );
    return queue();
  }
  const queue = (suffix = '') => new QueueClient(storage.azurite.connectionString, name + suffix);
  const left = async () => (await queue().getProperties()).approximateMessagesCount;
  async function move(ms: number): Promise<void> {
    await storage.advance(ms);
    await host?.settle();
  }

  it('creates the queue, hands over messages with their metadata, and deletes them', async () => {
    const client = await start();
    const sent = await client.sendMessage(base64('{"v":1}'));
    await host?.settle();
    assert.equal(calls.length, 1);
    assert.deepEqual(calls[0]?.['message'], { v: 1 });
    const metadata = calls[0]?.['metadata'] as Record<string, unknown>;
    assert.equal(metadata['id'], sent.messageId);
    assert.equal(metadata['dequeueCount'], 1);
    assert.deepEqual(metadata['queueTrigger'], { v: 1 });
    assert.equal(metadata['insertionTime'], sent.insertedOn.toISOString().replace('.000Z', '+00:00'));
    assert.equal(typeof metadata['expirationTime'], 'string');
    assert.equal(typeof metadata['nextVisibleTime'], 'string');
    assert.equal(typeof metadata['popReceipt'], 'string');
    assert.equal(await left(), 0);
  });

  it('parses and mixes JSON as the real host and worker do', async () => {
    const client = await start();
    for (const text of [
      '42',
      'plain text',
      '{"id":"mine","flag":true,"list":[1],"deep":{"Inner":1},"none":null,"n":7}',
    ]) {
      await client.sendMessage(base64(text));
      await host?.settle();
    }
    assert.deepEqual(
      calls.slice(0, 2).map((call) => call['message']),
      [42, 'plain text'],
    );
    const { id, flag, list, deep, none, n } = (calls[2]?.['metadata'] ?? {}) as Record<string, unknown>;
    assert.deepEqual(
      { id, flag, list, deep, none, n },
      {
        id: 'mine',
        flag: 'True',
        list: undefined,
        deep: { inner: 1 },
        none: undefined,
        n: 7,
      },
    );
  });

  it('takes messages as they are when host.json says so', async () => {
    const client = await start('', { messageEncoding: 'none' });
    await client.sendMessage('Grüße');
    await host?.settle();
    assert.equal(calls[0]?.['message'], 'Grüße');
  });

  it('tries a failed message again after the visibility timeout, with a higher dequeue count', async () => {
    const client = await start("if (context.triggerMetadata.dequeueCount < 3) throw new Error('not yet');");
    await client.sendMessage(base64('again'));
    await host?.settle();
    assert.equal(calls.length, 1);
    await move(30_000);
    assert.equal(calls.length, 1);
    await move(31_000);
    assert.equal(calls.length, 2);
    await move(MINUTE);
    assert.equal(calls.length, 3);
    assert.equal(await left(), 0);
  });

  it('moves a message that always fails to the poison queue, text unchanged and without end', async () => {
    const client = await start("throw new Error('never');", { maxDequeueCount: 2 });
    await client.sendMessage(base64('hopeless'));
    await host?.settle();
    await move(MINUTE);
    assert.equal(calls.length, 2);
    assert.equal(await left(), 0);
    const { receivedMessageItems } = await queue('-poison').receiveMessages();
    assert.equal(receivedMessageItems[0]?.messageText, base64('hopeless'));
    assert.equal(receivedMessageItems[0]?.expiresOn.getUTCFullYear(), 9999);
    await move(MINUTE);
    assert.equal(calls.length, 2);
  });

  it('settles although messages fail at once again, up to the last attempt', async () => {
    const client = await start("throw new Error('never');", { visibilityTimeout: '00:00:00' });
    await client.sendMessage(base64('hopeless'));
    await host?.settle();
    assert.equal(calls.length, 5);
    assert.equal(await left(), 0);
  });

  it('moves what is not base64 to the poison queue without running the function', async () => {
    const client = await start();
    await client.sendMessage('not base64!');
    await host?.settle();
    assert.deepEqual(calls, []);
    assert.equal((await queue('-poison').peekMessages()).peekedMessageItems[0]?.messageText, 'not base64!');
  });

  it('works on batchSize + newBatchThreshold messages at a time, no more', async () => {
    const client = await start(
      `globalThis.inWork = (globalThis.inWork ?? 0) + 1; calls.at(-1).inWork = globalThis.inWork;
       for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
       globalThis.inWork -= 1;`,
      { batchSize: 3, newBatchThreshold: 1 },
    );
    await Promise.all(Array.from({ length: 20 }, (_, at) => client.sendMessage(base64(String(at)))));
    await host?.settle();
    assert.equal(calls.length, 20);
    const most = Math.max(...calls.map((call) => call['inWork'] as number));
    assert.ok(most > 1 && most <= 4, `${most} at a time`);
    assert.equal(await left(), 0);
  });

  it('fetches up to 32 at once, and none before all are done where newBatchThreshold is 0', async () => {
    const client = await start(
      `globalThis.inWork = (globalThis.inWork ?? 0) + 1;
       if (globalThis.inWork === 1) globalThis.batch = (globalThis.batch ?? 0) + 1;
       calls.at(-1).batch = globalThis.batch;
       for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
       globalThis.inWork -= 1;`,
      { batchSize: 32, newBatchThreshold: 0 },
    );
    Object.assign(globalThis, { inWork: 0, batch: 0 });
    await Promise.all(Array.from({ length: 70 }, (_, at) => client.sendMessage(base64(String(at)))));
    await host?.settle();
    const sizes = new Map<unknown, number>();
    for (const { batch } of calls) sizes.set(batch, (sizes.get(batch) ?? 0) + 1);
    assert.equal(calls.length, 70);
    assert.ok(sizes.size >= 3, `${sizes.size} batches`);
    assert.ok(Math.max(...sizes.values()) <= 32);
  });

  it('gives up after the first failure where maxDequeueCount is 1', async () => {
    const client = await start("throw new Error('no');", { maxDequeueCount: 1 });
    await client.sendMessage(base64('once'));
    await host?.settle();
    assert.equal(calls.length, 1);
    assert.equal((await queue('-poison').peekMessages()).peekedMessageItems[0]?.messageText, base64('once'));
  });

  it('leaves what fails on a poison queue where it is, as there is no poison queue for it', async () => {
    const poison = `app.storageQueue('parks', { queueName: '%QUEUE%-poison', connection: 'RECORD', handler: (message, context) => {
      calls.push({ poison: message, dequeueCount: context.triggerMetadata.dequeueCount });
      throw new Error('cannot park it');
    } });`;
    const client = await start("throw new Error('no');", { maxDequeueCount: 1 }, poison);
    await client.sendMessage(base64('twice unlucky'));
    await host?.settle();
    await move(9 * MINUTE);
    const counts = () =>
      calls.flatMap(({ poison, dequeueCount }) => (poison === undefined ? [] : [dequeueCount]));
    assert.deepEqual(counts(), [1]);
    await move(2 * MINUTE);
    assert.deepEqual(counts(), [1], 'the function does not get it more often than maxDequeueCount');
    assert.equal((await queue('-poison').getProperties()).approximateMessagesCount, 1);
    assert.equal(await queue('-poison-poison').exists(), false);
  });

  it('reads base64 with white space, and takes a message without padding for none', async () => {
    const client = await start();
    await client.sendMessage('aGVs\nbG8=');
    await client.sendMessage('aGVsbG8');
    await host?.settle();
    assert.deepEqual(
      calls.map((call) => call['message']),
      ['hello'],
    );
    assert.equal((await queue('-poison').peekMessages()).peekedMessageItems[0]?.messageText, 'aGVsbG8');
  });

  it('counts what a function adds while it settles', async () => {
    const client = await start(`if (message > 0) await globalThis.addMessage(message - 1);`);
    Object.assign(globalThis, { addMessage: (value: number) => client.sendMessage(base64(String(value))) });
    await client.sendMessage(base64('4'));
    await host?.settle();
    assert.deepEqual(
      calls.map((call) => call['message']),
      [4, 3, 2, 1, 0],
    );
  });

  it('does not count messages that lie in the future, until their time comes', async () => {
    const client = await start();
    await client.sendMessage(base64('later'), { visibilityTimeout: 3600 });
    await host?.settle();
    assert.deepEqual(calls, []);
    await move(60 * MINUTE);
    assert.deepEqual(
      calls.map((call) => call['message']),
      ['later'],
    );
  });

  it('keeps hold of a message in work when the clock jumps over its visibility', async () => {
    const client = await start(
      'await new Promise((resolve) => { globalThis.releases.push(resolve); globalThis.entered(); });',
    );
    const releases: (() => void)[] = [];
    const entered = new Promise<void>((resolve) => {
      Object.assign(globalThis, { releases, entered: resolve });
    });
    await client.sendMessage(base64('long'), { messageTimeToLive: -1 });
    await entered;
    const moved = await fetch(`${host?.baseUrl}/local/clock`, { method: 'POST', body: '{"advance":"P1D"}' });
    const { peekedMessageItems } = await client.peekMessages();
    for (const release of releases) release();
    await host?.settle();
    assert.equal(moved.status, 200);
    assert.equal(peekedMessageItems.length, 0, 'invisible to others all along');
    assert.equal(calls.length, 1);
    assert.equal(await left(), 0);
  });

  it('creates the queue anew when someone deletes it', async () => {
    const client = await start();
    await client.delete();
    await host?.settle();
    await client.sendMessage(base64('back'));
    await host?.settle();
    assert.equal(calls.length, 1);
  });

  it('names the function whose queue the storage refuses', async () => {
    const app = {
      functions: {
        'q.js': `app.storageQueue('bad', { queueName: 'q', connection: 'RECORD', handler() {} });`,
      },
    };
    const settings = { RECORD: storage.azurite.connectionString };
    await assert.rejects(
      startFunctionApp(app, { settings }),
      /^Error: Function "bad": its trigger cannot start: /,
    );
  });
});
