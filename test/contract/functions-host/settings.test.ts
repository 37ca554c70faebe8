import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseIsoDuration } from '../../../infra/local/host/control/iso-duration.ts';
import { AppSettings } from '../../../infra/local/host/settings/app-settings.ts';
import { bodySizeLimit } from '../../../infra/local/host/settings/body-size-limit.ts';
import { parseHostJson, readHostJson } from '../../../infra/local/host/settings/host-json.ts';
import { parseNcrontab } from '../../../infra/local/host/timers/ncrontab.ts';

describe('host.json', () => {
  it("has the real host's defaults", () => {
    assert.deepEqual(parseHostJson({ version: '2.0' }), {
      routePrefix: 'api',
      queues: {
        batchSize: 16,
        newBatchThreshold: 8,
        maxDequeueCount: 5,
        visibilityTimeoutMs: 0,
        maxPollingIntervalMs: 60_000,
        messageEncoding: 'base64',
      },
      functionTimeoutMs: 1_800_000,
      logLevels: {},
    });
  });

  it("reads the project's own file", () => {
    const { queues, functionTimeoutMs, logLevels } = readHostJson(`${import.meta.dirname}/../../..`);
    assert.equal(queues.visibilityTimeoutMs, 60_000);
    assert.equal(queues.maxPollingIntervalMs, 10_000);
    assert.equal(functionTimeoutMs, 600_000);
    assert.deepEqual(logLevels, { default: 'information' });
  });

  it('leaves unknown sections alone and takes -1 for no timeout', () => {
    const json = {
      version: '2.0',
      extensions: { durableTask: 7, serviceBus: {} },
      functionTimeout: '-1',
      x: 1,
    };
    assert.equal(parseHostJson(json).functionTimeoutMs, Number.POSITIVE_INFINITY);
  });

  it('names the path of a wrong value, what stands there and what may', () => {
    const queues = (members: object) => ({ version: '2.0', extensions: { queues: members } });
    const cases: [json: unknown, expected: string][] = [
      [{}, 'host.json: version must be "2.0", but is missing.'],
      [{ version: '1.0' }, 'host.json: version must be "2.0", but is "1.0".'],
      [[], 'host.json must be an object, but is [].'],
      [
        queues({ batchSize: 33 }),
        'host.json: extensions.queues.batchSize must be a whole number from 1 to 32, but is 33.',
      ],
      [
        queues({ maxDequeueCount: '5' }),
        'host.json: extensions.queues.maxDequeueCount must be a whole number from 1 to 10000, but is "5".',
      ],
      [
        queues({ visibilityTimeout: 60 }),
        'host.json: extensions.queues.visibilityTimeout must be a time span "hh:mm:ss" of 0 to 604800 seconds, but is 60.',
      ],
      [
        queues({ maxPollingInterval: '00:00:00.05' }),
        'host.json: extensions.queues.maxPollingInterval must be a time span "hh:mm:ss" of 0.1 to 86400 seconds, but is "00:00:00.05".',
      ],
      [
        queues({ messageEncoding: 'utf8' }),
        'host.json: extensions.queues.messageEncoding must be "base64" or "none", but is "utf8".',
      ],
      [
        { version: '2.0', extensions: { http: { routePrefix: 5 } } },
        'host.json: extensions.http.routePrefix must be a string, but is 5.',
      ],
      [
        { version: '2.0', functionTimeout: '10 minutes' },
        'host.json: functionTimeout must be a time span "hh:mm:ss" of 1 to 864000 seconds, but is "10 minutes".',
      ],
      [
        { version: '2.0', logging: { logLevel: { default: 'Loud' } } },
        'host.json: logging.logLevel.default must be "trace" or "debug" or "information" or "warning" or "error" or "critical" or "none", but is "Loud".',
      ],
    ];
    for (const [json, message] of cases) assert.throws(() => parseHostJson(json), { message });
  });
});

describe('App settings', () => {
  it('stand for %NAME% in a binding', () => {
    const settings = new AppSettings({ PLAN: '0 0 * * * *' });
    assert.equal(settings.resolve('%PLAN%', 'schedule'), '0 0 * * * *');
    assert.equal(settings.resolve('a-%PLAN%-%plan%', 'x'), 'a-0 0 * * * *-0 0 * * * *');
    assert.throws(() => settings.resolve('%MISSING%-x', 'Function "x": schedule'), {
      message:
        'Function "x": schedule: \'%MISSING%\' does not resolve to a value: add an app setting MISSING, which "%MISSING%-x" needs.',
    });
    assert.throws(
      () => settings.resolve('%PLAN%-%', 'x'),
      /the '%' in "%PLAN%-%" does not have a closing '%'/,
    );
    assert.throws(() => settings.resolve('%%', 'x'), /'%%' does not resolve to a value/);
  });

  it('are found in any case, with __ for a colon, and may hold percent signs', () => {
    const settings = new AppSettings({ Section__Name: '50%', exact: 'lower', EXACT: 'upper' });
    assert.equal(settings.get('section:name'), '50%');
    assert.equal(settings.resolve('%SECTION__NAME%', 'x'), '50%');
    assert.equal(settings.get('EXACT'), 'upper');
    assert.equal(settings.get('exact'), 'lower');
  });

  it('give connection strings by name, and refuse identity-based connections', () => {
    const settings = new AppSettings(
      { A: 'plain', AzureWebJobsA: 'prefixed', NAMED: 'A', B__queueServiceUri: 'https://x' },
      'host',
    );
    assert.equal(settings.connectionString('A', 'x'), 'prefixed');
    assert.equal(settings.connectionString(undefined, 'x'), 'host');
    assert.equal(settings.connectionString('%NAMED%', 'x'), 'prefixed');
    assert.throws(() => settings.connectionString('%NOT%', 'x'), /x: connection: '%NOT%' does not resolve/);
    assert.throws(
      () => settings.connectionString('B', 'x'),
      /identity-based \(B__queueServiceUri\).*in Azure only/,
    );
    assert.throws(
      () => settings.connectionString('C', 'Function "q"'),
      /Function "q": connection "C" needs an app setting C/,
    );
  });

  it('give the body limit', () => {
    assert.equal(bodySizeLimit(new AppSettings({})), 104_857_600);
    assert.equal(bodySizeLimit(new AppSettings({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '131072' })), 131_072);
    const wrong = new AppSettings({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '128k' });
    assert.throws(() => bodySizeLimit(wrong), /positive whole number of bytes, but is "128k"/);
  });
});

describe('NCRONTAB', () => {
  const next = (expression: string, from: string) =>
    parseNcrontab(expression, 'test').next(new Date(from)).toISOString().replace('.000Z', 'Z');

  it('is read in UTC with six fields, or five without the seconds', () => {
    assert.equal(next('0 */15 * * * *', '2026-11-21T10:00:00Z'), '2026-11-21T10:15:00Z');
    assert.equal(next('*/15 * * * *', '2026-11-21T10:14:59.999Z'), '2026-11-21T10:15:00Z');
    assert.equal(next('30 5 4 1 JAN-mar *', '2026-11-21T10:00:00Z'), '2027-01-01T04:05:30Z');
    assert.equal(next('0 30 9 * * 1-5', '2026-11-21T10:00:00Z'), '2026-11-23T09:30:00Z');
  });

  it('wants day and day of the week both', () => {
    assert.equal(next('0 0 0 13 * FRI', '2026-01-01T00:00:00Z'), '2026-02-13T00:00:00Z');
  });

  it('reads a/n as from a on, every nth', () => {
    assert.equal(next('0 5/20 * * * *', '2026-11-21T10:26:00Z'), '2026-11-21T10:45:00Z');
    assert.equal(next('0 5/20 * * * *', '2026-11-21T10:46:00Z'), '2026-11-21T11:05:00Z');
  });

  it('knows which schedules are too fast to be monitored', () => {
    assert.equal(parseNcrontab('*/10 * * * * *', 'test').isFast, true);
    assert.equal(parseNcrontab('0 * * * * *', 'test').isFast, false);
  });

  it('refuses what Azure refuses', () => {
    for (const expression of [
      '',
      '* * *',
      '0 0 0 L * *',
      '0 0 0 ? * *',
      '0 0 0 * * 7',
      '0 0 0 * * 5#2',
      '60 * * * * *',
      '0 0 24 * * *',
      '0 0 0 30 2 *',
      '00:15:00',
      '1.00:00:00',
      '@daily',
      '0 */0 * * * *',
      '/5 * * * * *',
    ]) {
      assert.throws(
        () => parseNcrontab(expression, 'Function "x": schedule'),
        /^Error: Function "x": schedule: ".*" is not an NCRONTAB expression: /,
      );
    }
  });
});

describe('ISO 8601 durations', () => {
  it('are weeks, days, hours, minutes and seconds', () => {
    assert.equal(parseIsoDuration('P60D'), 60 * 86_400_000);
    assert.equal(parseIsoDuration('P1W2DT3H4M5S'), ((9 * 24 + 3) * 60 + 4) * 60_000 + 5000);
    assert.equal(parseIsoDuration('PT90S'), 90_000);
    assert.equal(parseIsoDuration('PT0S'), 0);
  });

  it('are refused with a reason when they are anything else', () => {
    for (const text of ['', 'P', 'PT', 'P1DT', '60D', 'P1.5D', 'PT1M1H', 'p60d', 'P60D ', '1 day']) {
      assert.throws(() => parseIsoDuration(text), /is not an ISO 8601 duration/);
    }
    assert.throws(() => parseIsoDuration('P1M'), /no fixed length/);
    assert.throws(() => parseIsoDuration('P1Y'), /no fixed length/);
    assert.throws(() => parseIsoDuration('-P1D'), /only goes forward/);
    assert.throws(() => parseIsoDuration(`P${'9'.repeat(20)}D`), /too long/);
  });
});
