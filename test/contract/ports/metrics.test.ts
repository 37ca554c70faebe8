import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';
import { inTrace } from '../../../shared/adapters/system/trace.ts';
import { MetricRegistry } from '../../../shared/adapters/telemetry/metric-registry.ts';
import {
  azureMonitorMetrics,
  OpenTelemetryMetrics,
} from '../../../shared/adapters/telemetry/open-telemetry-metrics.ts';
import { describeMetrics } from './suites/metrics.ts';

const inMemory = () => new InMemoryMetricExporter(AggregationTemporality.DELTA);
const unreachable = async (): Promise<PushMetricExporter> => {
  throw new Error('no exporter here');
};

describeMetrics('in the process', () => new MetricRegistry());
describeMetrics('by OpenTelemetry', () => new OpenTelemetryMetrics(async () => inMemory()));
describeMetrics('by OpenTelemetry that cannot be loaded', () => new OpenTelemetryMetrics(unreachable));

const POISON = { name: 'everleaf.queue.poison', points: [{ labels: {}, value: 7 }] } as const;

test('a report brings what was counted before anything was loaded, once', async () => {
  const exporter = inMemory();
  const metrics = new OpenTelemetryMetrics(async () => exporter);
  metrics.count('everleaf.login.denied', { reason: 'Expired' }, 5);
  await metrics.report([POISON]);
  await metrics.report([]);
  const told = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
    .flatMap(({ descriptor, dataPoints }) =>
      dataPoints.map(({ value, attributes }) => [descriptor.name, descriptor.unit, value, attributes]),
    );
  assert.deepEqual(
    told.filter(([, , value]) => value !== 0),
    [
      ['everleaf.queue.poison', '{message}', 7, {}],
      ['everleaf.login.denied', '{login}', 5, { reason: 'Expired' }],
    ],
  );
});

test('metrics that could not be sent are told of in the log, and stop nobody', async () => {
  const refusing: PushMetricExporter = Object.assign(inMemory(), {
    export: (_: unknown, done: (result: { code: number; error: Error }) => void) =>
      done({ code: 1, error: new Error('403') }),
  });
  for (const [make, reason] of [
    [async () => refusing, /403/],
    [unreachable, /no exporter here/],
  ] as const) {
    const lines: string[] = [];
    const log = { write: (level: string, message: string) => void lines.push(`${level}: ${message}`) };
    const metrics = new OpenTelemetryMetrics(make);
    await inTrace('i', { correlationId: 'c', log }, () => metrics.report([POISON]));
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /^warn: Could not send metrics: /);
    assert.match(lines[0] ?? '', reason);
  }
});

test('an exporter whose promise is rejected ends no process, and is told of in the log', async () => {
  const rejecting: PushMetricExporter = Object.assign(inMemory(), {
    export: () => Promise.reject(new Error('no envelope')),
  });
  const lines: string[] = [];
  const log = { write: (_: string, message: string) => void lines.push(message) };
  const metrics = new OpenTelemetryMetrics(async () => rejecting);
  await inTrace('i', { correlationId: 'c', log }, () => metrics.report([POISON]));
  assert.deepEqual(lines, ['Could not send metrics: Error: no envelope']);
});

test('an exporter that never answers is given up on, and told of in the log', async () => {
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const silent: PushMetricExporter = Object.assign(inMemory(), { export: () => ask() });
  const lines: string[] = [];
  const log = { write: (_: string, message: string) => void lines.push(message) };
  const metrics = new OpenTelemetryMetrics(async () => silent);
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const reported = inTrace('i', { correlationId: 'c', log }, () => metrics.report([POISON]));
    await asked;
    mock.timers.tick(30_000);
    await reported;
  } finally {
    mock.timers.reset();
  }
  assert.deepEqual(lines, ['Could not send metrics: no answer came in time']);
});

test('no series of a gauge is lumped together with others, however many clusters there have been', async () => {
  const exporter = inMemory();
  const metrics = new OpenTelemetryMetrics(async () => exporter);
  for (const part of ['a', 'b', 'c']) {
    exporter.reset();
    const points = Array.from({ length: 1_000 }, (_, i) => ({
      labels: { cluster: `${part}${i}` },
      value: i,
    }));
    await metrics.report([{ name: 'everleaf.credential.not_after', points }]);
    const told = exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
      .filter(({ descriptor }) => descriptor.name === 'everleaf.credential.not_after')
      .flatMap(({ dataPoints }) => dataPoints.map(({ attributes }) => attributes['cluster']));
    assert.deepEqual(
      told,
      points.map(({ labels }) => labels.cluster),
    );
  }
});

test('Application Insights gets names, values and labels, with the app’s own token', async () => {
  const sent: { url: string; token: string | undefined; body: string }[] = [];
  const credential = {
    getToken: async (scope: string | string[]) => ({
      token: `for ${scope}`,
      expiresOnTimestamp: Date.now() + 3_600_000,
    }),
  };
  const component =
    'InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://telemetry.test/';
  const httpClient: NonNullable<Parameters<typeof azureMonitorMetrics>[2]>['httpClient'] = {
    sendRequest: async (request) => {
      const body = request.body as Uint8Array | string;
      const text = typeof body === 'string' ? body : gunzipSync(body).toString();
      sent.push({ url: request.url, token: request.headers.get('authorization'), body: text });
      const bodyAsText = JSON.stringify({ itemsReceived: 1, itemsAccepted: 1, errors: [] });
      return { request, status: 200, headers: request.headers, bodyAsText };
    },
  };
  const metrics = azureMonitorMetrics(component, credential, { httpClient });
  await metrics.report([{ name: 'everleaf.queue.poison', points: [{ labels: { a: 'b' }, value: 7 }] }]);
  const [first] = sent.filter(({ url }) => url.startsWith('https://telemetry.test/'));
  assert.equal(first?.token, 'Bearer for https://monitor.azure.com/.default');
  const [item] = JSON.parse(first.body);
  const [{ name, value }] = item.data.baseData.metrics;
  assert.deepEqual([name, value], ['everleaf.queue.poison', 7]);
  assert.deepEqual(item.data.baseData.properties.a, 'b');
});
