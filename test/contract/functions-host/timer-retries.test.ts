import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { BlobServiceClient } from '@azure/storage-blob';
import { toRetryPolicy } from '../../../infra/local/host/timers/retry-policy.ts';
import { calls, startFunctionApp, type TestHost } from '../../support/function-app.ts';
import { startVirtualStorage, type VirtualStorage } from '../../support/virtual-storage.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const HOURLY = `{ strategy: 'fixedDelay', maxRetryCount: 3, delayInterval: { hours: 1 } }`;

interface Attempt {
  id: string;
  isPastDue: boolean;
  retry?: { retryCount: number; maxRetryCount: number; exception?: { message: string; stackTrace: string } };
}

describe('The functions host retries timers', () => {
  let storage: VirtualStorage;
  let host: TestHost | undefined;
  let hostId = '';
  let tests = 0;
  let hour = 0;
  before(async () => {
    storage = await startVirtualStorage();
  });
  after(() => storage.azurite.stop());
  afterEach(async () => {
    await host?.stop();
    host = undefined;
    calls.splice(0);
  });

  /** A timer that is due half a day from now and then daily; `body` says what an attempt does. */
  async function start(retry: string, body: string, sameAsBefore = false): Promise<void> {
    if (!sameAsBefore) {
      tests += 1;
      hour = (new Date().getUTCHours() + 12) % 24;
    }
    hostId = `retries-${tests}`;
    const source = `app.timer('tick', { schedule: '0 0 ${hour} * * *', retry: ${retry}, handler: (timer, context) => {
      calls.push({ id: context.invocationId, isPastDue: timer.isPastDue, retry: context.retryContext });
      ${body}
    } });`;
    const hostJson = { version: '2.0', logging: { logLevel: { Function: 'Debug' } } };
    host = await startFunctionApp(
      { functions: { 'tick.js': source }, hostJson },
      { ...storage.hostOptions, hostId },
    );
  }
  async function move(ms: number): Promise<void> {
    await storage.advance(ms);
    await host?.settle();
  }
  const attempts = () => calls as unknown as Attempt[];
  const has = (text: string) => host?.lines.some((line) => line.includes(text)) === true;
  async function lastRun(): Promise<string> {
    const blob = BlobServiceClient.fromConnectionString(storage.azurite.connectionString)
      .getContainerClient('azure-webjobs-hosts')
      .getBlobClient(`timers/${hostId}/tick/status`);
    return (JSON.parse((await blob.downloadToBuffer()).toString()) as { Last: string }).Last;
  }

  it('after a fixed delay in virtual time, as often as the policy says, and tells each attempt of the last', async () => {
    await start(HOURLY, "throw new Error('attempt ' + calls.length);");
    await move(DAY);
    assert.equal(attempts().length, 1, 'a settle does not wait for a retry that lies in the future');
    await move(30 * 60_000);
    assert.equal(attempts().length, 1);
    await move(31 * 60_000);
    assert.equal(await lastRun(), '0001-01-01T00:00:00', 'the run is not over yet');
    await move(HOUR);
    await move(HOUR);
    await move(HOUR);
    assert.equal(attempts().length, 4);
    assert.equal(new Set(attempts().map(({ id }) => id)).size, 4, 'each is an invocation of its own');
    assert.ok(attempts().every(({ isPastDue }) => isPastDue));
    assert.deepEqual(attempts()[0]?.retry, { retryCount: 0, maxRetryCount: 3 });
    const { exception, ...counts } = attempts()[3]?.retry ?? { retryCount: -1, maxRetryCount: -1 };
    assert.deepEqual(counts, { retryCount: 3, maxRetryCount: 3 });
    assert.match(
      exception?.message ?? '',
      /^Exception while executing function: Functions\.tick .*attempt 3/,
    );
    assert.match(exception?.stackTrace ?? '', /Error: attempt 3\n {4}at /);
    assert.ok(
      has(
        "Waiting for `01:00:00` before retrying function execution. Next attempt: '1'. Max retry count: '3'.",
      ),
    );
    assert.ok(has("Function execution failed after '3' retries."));
    assert.notEqual(await lastRun(), '0001-01-01T00:00:00');
  });

  it('no more once an attempt succeeds', async () => {
    await start(HOURLY, "if (context.retryContext.retryCount < 1) throw new Error('not yet');");
    await move(DAY);
    for (let hours = 0; hours < 4; hours += 1) await move(HOUR);
    assert.equal(attempts().length, 2);
    assert.equal(has('Function execution failed after'), false);
  });

  it('for ever with -1, and the schedule waits for it', async () => {
    const policy = `{ strategy: 'fixedDelay', maxRetryCount: -1, delayInterval: { hours: 12 } }`;
    await start(policy, "if (calls.length < 6) throw new Error('not yet');");
    await move(DAY);
    for (let halfDays = 0; halfDays < 5; halfDays += 1) await move(DAY / 2);
    const counts = attempts().map(({ retry }) => retry?.retryCount);
    // The sixth succeeds; two times have gone by meanwhile, for which one more run makes up.
    assert.deepEqual(counts, [0, 1, 2, 3, 4, 5, 0]);
  });

  it('at once where the library rounded the delay to nothing', async () => {
    await start(`{ strategy: 'fixedDelay', maxRetryCount: 2, delayInterval: 400 }`, "throw new Error('no');");
    await move(DAY);
    assert.equal(attempts().length, 3);
  });

  it('not after a stop: the run counts as done', async () => {
    await start(HOURLY, "throw new Error('no');");
    await move(DAY);
    const lines = host?.lines ?? [];
    await host?.stop();
    assert.ok(lines.some((line) => line.endsWith('Invocation cancelled - exiting retry loop.')));
    await start(HOURLY, "throw new Error('no');", true);
    await move(HOUR);
    assert.equal(attempts().length, 1);
  });

  it('not when the timer is run by hand', async () => {
    await start(HOURLY, "throw new Error('no');");
    await fetch(`${host?.baseUrl}/admin/functions/tick`, {
      method: 'POST',
      headers: { 'x-functions-key': 'the-master-key-of-a-test' },
      body: '{}',
    });
    await host?.settle();
    await move(HOUR);
    assert.equal(attempts().length, 1);
    assert.equal(attempts()[0]?.retry, undefined);
  });

  it('after delays that double, each off by up to a fifth, up to the longest', () => {
    const policy = toRetryPolicy({
      name: 'tick',
      bindings: {},
      retryOptions: {
        retryStrategy: 'exponentialBackoff',
        maxRetryCount: 9,
        minimumInterval: { seconds: 10 },
        maximumInterval: { seconds: 60 },
      },
    });
    const delays = policy?.delays();
    const [first = 0, second = 0, third = 0, ...rest] = Array.from(
      { length: 8 },
      () => delays?.next().value ?? 0,
    );
    assert.equal(first, 10_000);
    assert.ok(second >= 18_000 && second <= 22_000, String(second));
    assert.ok(third >= 26_000 && third <= 34_000, String(third));
    assert.ok((rest[0] ?? 0) >= 42_000 && (rest[0] ?? 0) <= 58_000, String(rest[0]));
    assert.deepEqual(rest.slice(1), [60_000, 60_000, 60_000, 60_000]);
  });
});
