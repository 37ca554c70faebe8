import type { TokenCredential } from '@azure/identity';
import type { AzureMonitorExporterOptions } from '@azure/monitor-opentelemetry-exporter';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import {
  type Family,
  HISTOGRAM_BOUNDS,
  type Labels,
  METRICS,
  type NameOf,
  type Point,
} from '../../domain/metrics.ts';
import type { Counted, Metrics } from '../../ports/metrics.ts';
import { soon } from '../system/soon.ts';
import { currentTrace } from '../system/trace.ts';
import { MetricRegistry } from './metric-registry.ts';

/** OpenTelemetry's own default. */
const EXPORT_EVERY_MS = 60_000;

/**
 * Sets of labels of one gauge that the SDK tells apart. It never forgets one, and lumps all beyond its own 2,000 into a single
 * series without labels; whose gauges are told changes from report to report.
 */
const GAUGE_SERIES_MAX = 100_000;

/** A cold login is answered long before. */
const LOAD_AFTER_MS = 10_000;

type Sender = Awaited<ReturnType<typeof startSending>>;

/**
 * Numbers that go out by OpenTelemetry. Its SDK and the exporter are loaded some seconds after the first number, so that no
 * first answer waits for them; counters are observed in the registry, so nothing is lost that was counted before. Of
 * a histogram Azure Monitor does not see those first seconds; the registry does.
 */
export class OpenTelemetryMetrics implements Metrics {
  readonly #registry = new MetricRegistry();
  readonly #makeExporter: () => Promise<PushMetricExporter>;
  #sender: Promise<Sender | null> | undefined;
  #sending: Sender | null = null;
  #isAwaited = false;
  #reports: Promise<unknown> = Promise.resolve();
  /** Why nothing can be sent. */
  #failure: string | null = null;

  /** @param makeExporter called once, when there is something to export */
  constructor(makeExporter: () => Promise<PushMetricExporter>) {
    this.#makeExporter = makeExporter;
  }

  count(name: NameOf<'counter'>, labels: Labels, by = 1): void {
    this.#registry.count(name, labels, by);
    this.#loadSoon();
  }

  record(name: NameOf<'histogram'>, labels: Labels, value: number): void {
    this.#registry.record(name, labels, value);
    this.#sending?.record(name, labels, value);
    this.#loadSoon();
  }

  counted(): Counted {
    return this.#registry.counted();
  }

  async report(gauges: readonly Family<'gauge'>[]): Promise<void> {
    // One after the other: each stands in the registry until it was sent.
    const send = async () => {
      const sender = await this.#load();
      await this.#registry.report(gauges);
      const failure = sender === null ? this.#failure : await sender.flush();
      await this.#registry.report([]);
      if (failure !== null) currentTrace()?.log.write('warn', `Could not send metrics: ${failure}`);
    };
    this.#reports = this.#reports.then(send);
    await this.#reports;
  }

  #loadSoon(): void {
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    soon(LOAD_AFTER_MS, () => void this.#load());
  }

  /** Null when it cannot be loaded: the next report says so, and the work goes on. */
  #load(): Promise<Sender | null> {
    this.#isAwaited = true;
    this.#sender ??= startSending(this.#registry, this.#makeExporter).then(
      (sender) => {
        this.#sending = sender;
        return sender;
      },
      (error: unknown) => {
        this.#failure = String(error);
        return null;
      },
    );
    return this.#sender;
  }
}

/** The instruments of all metrics, and what exports them. */
async function startSending(registry: MetricRegistry, makeExporter: () => Promise<PushMetricExporter>) {
  const [{ MeterProvider, PeriodicExportingMetricReader }, exporter] = await Promise.all([
    import('@opentelemetry/sdk-metrics'),
    makeExporter(),
  ]);
  // Of the last export, and until it has ended as well: the SDK gives up on one that does not end, and keeps to itself what
  // becomes of any.
  let last: { failure: string | null } = { failure: null };
  const send = exporter.export.bind(exporter);
  exporter.export = (metrics, done) => {
    const outcome: typeof last = { failure: 'no answer came in time' };
    last = outcome;
    const end: typeof done = (result) => {
      outcome.failure = result.code === 0 ? null : String(result.error ?? 'the exporter gave no reason');
      done(result);
    };
    // Declared without a result, but Microsoft's is async: nobody else would look at its promise, and one that is rejected
    // and not looked at ends the process, with everybody's requests.
    new Promise<void>((resolve) => resolve(send(metrics, end))).catch((error: unknown) =>
      end({ code: 1, error: error instanceof Error ? error : new Error(String(error)) }),
    );
  };
  const reader = new PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: EXPORT_EVERY_MS,
    cardinalityLimits: { observableGauge: GAUGE_SERIES_MAX },
  });
  const provider = new MeterProvider({ readers: [reader] });
  const meter = provider.getMeter('everleaf');
  const histograms = new Map<string, ReturnType<typeof meter.createHistogram>>();
  for (const [name, { kind, unit, description }] of Object.entries(METRICS)) {
    if (kind === 'histogram') {
      const advice = { explicitBucketBoundaries: [...HISTOGRAM_BOUNDS] };
      histograms.set(name, meter.createHistogram(name, { unit, description, advice }));
      continue;
    }
    const observable =
      kind === 'gauge'
        ? meter.createObservableGauge(name, { unit, description })
        : meter.createObservableCounter(name, { unit, description });
    observable.addCallback((result) => {
      const families: readonly { readonly name: string; readonly points: readonly Point[] }[] =
        kind === 'gauge' ? registry.reported : registry.counted().counters;
      for (const { labels, value } of families.find((family) => family.name === name)?.points ?? []) {
        result.observe(value, labels);
      }
    });
  }
  return {
    record: (name: NameOf<'histogram'>, labels: Labels, value: number) =>
      histograms.get(name)?.record(value, labels),
    /** Null, or why it came to nothing. Never throws. */
    flush: async (): Promise<string | null> => {
      try {
        await provider.forceFlush();
        return last.failure;
      } catch (error) {
        return String(error);
      }
    },
  };
}

/**
 * Numbers for Application Insights, by the app's own identity: the component takes no key. Sends nothing to disk: an
 * instance and its disk may be gone before the next try.
 * @param connectionString names the component; it holds no secret there
 * @param client how its requests travel, if not as usual
 */
export function azureMonitorMetrics(
  connectionString: string,
  credential: TokenCredential,
  client: Pick<AzureMonitorExporterOptions, 'httpClient'> = {},
): Metrics {
  return new OpenTelemetryMetrics(async () => {
    const { AzureMonitorMetricExporter } = await import('@azure/monitor-opentelemetry-exporter');
    return new AzureMonitorMetricExporter({
      connectionString,
      credential,
      disableOfflineStorage: true,
      ...client,
    });
  });
}
