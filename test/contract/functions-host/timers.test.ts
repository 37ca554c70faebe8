import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { BlobServiceClient } from '@azure/storage-blob';
import { calls, startFunctionApp, type TestHost } from '../../support/function-app.ts';
import { startVirtualStorage, type VirtualStorage } from '../../support/virtual-storage.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface TimerCall {
  isPastDue: boolean;
  at: string;
  last?: string;
  next?: string;
}

/** A timer that tells the test about each run; `more` are further options, `then` runs in the handler. */
const timer = (schedule: string, more = '', then = '') => ({
  'timer.js': `app.timer('tick', { schedule: '${schedule}', ${more} handler: async (timer, context) => {
    calls.push({ isPastDue: timer.isPastDue, at: new Date().toISOString(), last: timer.scheduleStatus?.last, next: timer.scheduleStatus?.next });
    ${then}
  } });`,
});

describe('The functions host runs timers', () => {
  let storage: VirtualStorage;
  let host: TestHost | undefined;
  let hostId = '';
  let hosts = 0;
  before(async () => {
    storage = await startVirtualStorage();
  });
  after(() => storage.azurite.stop());
  afterEach(async () => {
    await host?.stop();
    host = undefined;
    calls.splice(0);
    hostId = '';
  });

  /** Starts the app; within one test always with the same memory of its timers. */
  async function start(
    functions: Record<string, string>,
    settings: Record<string, string> = {},
  ): Promise<TestHost> {
    if (hostId === '') {
      hosts += 1;
      hostId = `timers-${hosts}`;
    }
    host = await startFunctionApp({ functions }, { ...storage.hostOptions, hostId, settings });
    return host;
  }

  async function move(ms: number): Promise<void> {
    await storage.advance(ms);
    await host?.settle();
  }

  async function status(): Promise<Record<string, string>> {
    const service = BlobServiceClient.fromConnectionString(storage.azurite.connectionString);
    const blob = service
      .getContainerClient('azure-webjobs-hosts')
      .getBlobClient(`timers/${hostId}/tick/status`);
    return JSON.parse((await blob.downloadToBuffer()).toString()) as Record<string, string>;
  }

  const timerCalls = () => calls as unknown as TimerCall[];

  it('does not run a new timer before it is due, and remembers when that will be', async () => {
    await start(timer('0 0 0 * * *'));
    await host?.settle();
    assert.deepEqual(calls, []);
    const { Last, Next } = await status();
    assert.equal(Last, '0001-01-01T00:00:00');
    assert.match(Next ?? '', /T00:00:00\.000\+00:00$/);
  });

  it('makes up for all that a jump has passed with one run that is past due', async () => {
    await start(timer('0 */15 * * * *'));
    await move(60 * DAY);
    assert.equal(calls.length, 1);
    assert.equal(timerCalls()[0]?.isPastDue, true);
    assert.equal(timerCalls()[0]?.last, '0001-01-01T00:00:00');
    const { Last = '', Next = '' } = await status();
    assert.equal(Last.slice(0, 19), timerCalls()[0]?.at.slice(0, 19));
    assert.ok(new Date(Next) > new Date(Last));
    await host?.settle();
    await move(1000);
    assert.ok(calls.length <= 2, 'a second later nothing is past due any more');
  });

  it('runs once more past due after a restart that missed a time, and not without one', async () => {
    await start(timer('0 0 0 * * *'));
    await move(DAY);
    await host?.stop();
    await start(timer('0 0 0 * * *'));
    await host?.settle();
    assert.equal(calls.length, 1);
    await host?.stop();
    await storage.advance(3 * DAY);
    await start(timer('0 0 0 * * *'));
    await host?.settle();
    assert.equal(calls.length, 2);
    assert.equal(timerCalls()[1]?.isPastDue, true);
  });

  it('forgets a missed time when the schedule changes', async () => {
    await start(timer('0 0 0 * * *'));
    await host?.stop();
    await storage.advance(3 * DAY);
    await start(timer('0 30 12 * * *'));
    await host?.settle();
    assert.deepEqual(calls, []);
  });

  it('goes on after a run that failed', async () => {
    await start(timer('0 0 0 * * *', '', "throw new Error('broken');"));
    await move(DAY);
    await move(DAY);
    assert.equal(calls.length, 2);
    assert.ok(host?.lines.some((line) => line.includes('(Failed') && line.includes('broken')));
  });

  it('runs at its time without a jump, not past due', async () => {
    await start(timer('* * * * * *', '', 'globalThis.ticked?.();'));
    await new Promise<void>((resolve) => {
      (globalThis as { ticked?: () => void }).ticked = resolve;
    });
    assert.equal(timerCalls()[0]?.isPastDue, false);
    assert.equal(timerCalls()[0]?.last, undefined, 'a timer this fast is not monitored');
  });

  it('never runs one timer twice at a time', async () => {
    const then = `
      globalThis.running = (globalThis.running ?? 0) + 1;
      calls.at(-1).running = globalThis.running;
      await new Promise((resolve) => { globalThis.release = resolve; globalThis.entered(); });
      globalThis.running -= 1;`;
    await start(timer('0 0 * * * *', '', then));
    const shared = globalThis as { entered?: () => void; release?: () => void };
    const entered = () =>
      new Promise<void>((resolve) => {
        shared.entered = resolve;
      });
    const first = entered();
    await storage.advance(HOUR);
    await first;
    const second = entered();
    await storage.advance(5 * HOUR);
    shared.release?.();
    await second;
    shared.release?.();
    await host?.settle();
    assert.deepEqual(
      calls.map((call) => call['running']),
      [1, 1],
    );
    assert.deepEqual(
      timerCalls().map((call) => call.isPastDue),
      [true, true],
    );
  });

  it('goes on when someone deletes its lock', async () => {
    await start(timer('0 0 0 * * *'));
    const lock = BlobServiceClient.fromConnectionString(storage.azurite.connectionString)
      .getContainerClient('azure-webjobs-hosts')
      .getBlobClient(`locks/${hostId}/Host.Functions.tick.Listener`);
    await lock.getBlobLeaseClient().breakLease(0);
    await lock.delete();
    await move(DAY);
    assert.equal(calls.length, 1);
    assert.equal((await lock.getProperties()).leaseState, 'leased');
  });

  it('runs at the start when told so', async () => {
    await start(timer('0 0 0 1 1 *', 'runOnStartup: true,'));
    await host?.settle();
    assert.equal(timerCalls()[0]?.isPastDue, false);
    assert.equal(calls.length, 1);
  });

  it('takes the schedule from an app setting and says which one is missing', async () => {
    await start(timer('%PLAN%'), { PLAN: '0 0 0 * * *' });
    await move(DAY);
    assert.equal(calls.length, 1);
    await host?.stop();
    host = undefined;
    await assert.rejects(
      start(timer('%PLAN%')),
      /Function "tick": schedule: '%PLAN%' does not resolve to a value: add an app setting PLAN/,
    );
  });

  it('refuses a monitored timer without storage', async () => {
    const app = { functions: timer('0 0 0 * * *') };
    await assert.rejects(
      startFunctionApp(app),
      /Function "tick": .* needs an app setting AzureWebJobsStorage/,
    );
    host = await startFunctionApp({ functions: timer('0 0 0 * * *', 'useMonitor: false,') });
  });
});
