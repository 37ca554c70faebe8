import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { QueueClient } from '@azure/storage-queue';
import { calls, MASTER_KEY, startFunctionApp, type TestHost } from '../../support/function-app.ts';
import { startVirtualStorage, type VirtualStorage } from '../../support/virtual-storage.ts';

const SOURCE = `
  app.timer('Daily', { schedule: '0 0 0 * * *', handler: async (timer) => {
    calls.push({ daily: timer.isPastDue, next: timer.scheduleStatus.next });
    await globalThis.inDaily?.();
  } });
  app.storageQueue('work', { queueName: 'control-work', connection: 'RECORD', handler: (message, context) => {
    calls.push({ message, dequeueCount: context.triggerMetadata.dequeueCount });
    if (message === 'always fails') throw new Error('as it says');
  } });
  app.get('page', () => ({ body: 'page' }));
`;
const shared = globalThis as { inDaily?: (() => Promise<void>) | undefined };

describe("The functions host's own paths", () => {
  let storage: VirtualStorage;
  let host: TestHost;
  let queue: QueueClient;
  before(async () => {
    storage = await startVirtualStorage();
    const hostJson = { version: '2.0', extensions: { queues: { visibilityTimeout: '00:01:00' } } };
    const settings = { RECORD: storage.azurite.connectionString };
    host = await startFunctionApp(
      { functions: { 'all.js': SOURCE }, hostJson },
      { ...storage.hostOptions, settings },
    );
    queue = new QueueClient(storage.azurite.connectionString, 'control-work');
  });
  after(async () => {
    await host.stop();
    await storage.azurite.stop();
  });
  afterEach(() => {
    calls.splice(0);
    shared.inDaily = undefined;
  });

  const withKey = { 'x-functions-key': MASTER_KEY };
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${host.baseUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const virtualNow = async () => {
    const response = await fetch(`${host.baseUrl}/local/clock`);
    return ((await response.json()) as { now: string }).now;
  };

  describe('/admin', () => {
    it('wants the master key', async () => {
      assert.equal((await post('/admin/functions/Daily', {})).status, 401);
      assert.equal((await post('/admin/functions/Daily', {}, { 'x-functions-key': 'x' })).status, 401);
      assert.equal((await fetch(`${host.baseUrl}/admin/host/status`)).status, 401);
      assert.equal((await post('/admin/functions/unknown', {})).status, 401);
      await host.settle();
      assert.deepEqual(calls, []);
    });

    it('runs a timer, answering 202 before it has run; it is not past due and its status stays', async () => {
      let release = () => {};
      const isReleased = new Promise<void>((resolve) => {
        release = resolve;
      });
      shared.inDaily = () => isReleased;
      const answer = await post('/admin/functions/daily', {}, withKey);
      assert.equal(answer.status, 202);
      release();
      assert.equal((await post('/local/settle', '')).status, 200);
      assert.deepEqual(
        calls.map((call) => call['daily']),
        [false],
      );

      assert.equal((await post('/admin/functions/Daily', {}, withKey)).status, 202);
      await host.settle();
      assert.equal(calls[1]?.['next'], calls[0]?.['next'], 'the schedule knows nothing of a run by hand');
    });

    it('runs a queue function with the given input', async () => {
      assert.equal((await post('/admin/functions/work', { input: '{"a":1}' }, withKey)).status, 202);
      await host.settle();
      assert.deepEqual(calls, [{ message: { a: 1 }, dequeueCount: 0 }]);
    });

    it('refuses what it cannot run', async () => {
      assert.equal((await post('/admin/functions/unknown', {}, withKey)).status, 404);
      assert.equal((await fetch(`${host.baseUrl}/admin/functions/Daily`, { headers: withKey })).status, 404);
      for (const [path, body, why] of [
        ['/admin/functions/Daily', 'no json', 'The body is not JSON.'],
        ['/admin/functions/Daily', '[]', 'The body must be a JSON object.'],
        ['/admin/functions/work', {}, '"work" works on messages: give it one as {"input": "..."}.'],
        ['/admin/functions/work', { input: 1 }, '"input" must be a string: the text that the function gets.'],
        ['/admin/functions/page', {}, '"page" is an HTTP function: call its route instead.'],
      ] as const) {
        const response = await post(path, body, withKey);
        assert.equal(response.status, 400);
        assert.equal(response.headers.get('content-type'), 'application/problem+json');
        assert.deepEqual(await response.json(), {
          type: 'about:blank',
          title: 'Bad Request',
          status: 400,
          detail: why,
        });
      }
    });

    it("tells the host's state", async () => {
      const response = await fetch(`${host.baseUrl}/admin/host/status`, { headers: withKey });
      const { id, state, version } = (await response.json()) as Record<string, string>;
      assert.deepEqual({ id, state }, { id: 'test-host', state: 'Running' });
      assert.match(version ?? '', /^4\./);
    });
  });

  describe('/local', () => {
    it('tells the virtual time in whole seconds', async () => {
      assert.match(await virtualNow(), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    });

    it('moves the clock and with settle answers when due timers and messages are done', async () => {
      const before = Date.parse(await virtualNow());
      await queue.sendMessage(Buffer.from('for later').toString('base64'), { visibilityTimeout: 86_400 });
      const response = await post('/local/clock', { advance: 'P6D', settle: true });
      const { now } = (await response.json()) as { now: string };
      assert.ok(Date.parse(now) >= before + 6 * 86_400_000);
      assert.equal(calls.filter((call) => call['daily'] === true).length, 1);
      assert.equal(calls.filter((call) => call['message'] === 'for later').length, 1);
    });

    it('moves the clock step by step when asked at once', async () => {
      const before = Date.parse(await virtualNow());
      const answers = await Promise.all([1, 2, 3].map(() => post('/local/clock', { advance: 'PT1H' })));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [200, 200, 200],
      );
      const moved = Date.parse(await virtualNow()) - before;
      assert.ok(moved >= 3 * 3_600_000 && moved < 3 * 3_600_000 + 60_000);
    });

    it('settles with a message that fails for good', async () => {
      await queue.sendMessage(Buffer.from('always fails').toString('base64'), { messageTimeToLive: -1 });
      for (let attempt = 1; attempt <= 6; attempt += 1) {
        assert.equal((await post('/local/clock', { advance: 'PT2M', settle: true })).status, 200);
      }
      assert.equal(calls.filter((call) => call['message'] === 'always fails').length, 5);
    });

    it('refuses bad moves with a problem that says why', async () => {
      const cases: [body: unknown, detail: RegExp][] = [
        ['{', /The body is not JSON/],
        ['', /The body is not JSON/],
        ['[]', /must be a JSON object/],
        [{}, /"advance" must be an ISO 8601 duration/],
        [{ advance: 5 }, /"advance" must be an ISO 8601 duration/],
        [{ advance: 'P1M' }, /years or months, which have no fixed length/],
        [{ advance: '-P1D' }, /the clock only goes forward/],
        [{ advance: 'tomorrow' }, /is not an ISO 8601 duration/],
        [{ advance: 'P9999999D' }, /beyond 9999-12-31T23:59:59Z/],
        [{ advance: 'P1D', settle: 'yes' }, /"settle" must be true or false/],
      ];
      for (const [body, detail] of cases) {
        const response = await post('/local/clock', body);
        assert.equal(response.status, 400);
        assert.equal(response.headers.get('content-type'), 'application/problem+json');
        assert.match(((await response.json()) as { detail: string }).detail, detail);
      }
      const long = await post('/local/clock', JSON.stringify({ advance: 'P1D', more: 'x'.repeat(300_000) }));
      assert.equal(long.status, 413);
    });

    it('refuses other methods and paths', async () => {
      const wrongMethod = await fetch(`${host.baseUrl}/local/settle`);
      assert.equal(wrongMethod.status, 405);
      assert.equal(wrongMethod.headers.get('allow'), 'POST');
      assert.equal((await post('/local/clocks', {})).status, 404);
    });
  });
});
