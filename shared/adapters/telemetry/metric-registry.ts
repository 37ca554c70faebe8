import { toHex } from '../../domain/encoding.ts';
import {
  type Distribution,
  type Family,
  HISTOGRAM_BOUNDS,
  type Labels,
  type NameOf,
  type Point,
} from '../../domain/metrics.ts';
import type { Counted, Metrics } from '../../ports/metrics.ts';
import { systemRandom } from '../system/system-random.ts';

/** Numbers in the memory of this process: for the Prometheus route, and where nobody else collects them. */
export class MetricRegistry implements Metrics {
  readonly #process = toHex(systemRandom.bytes(4));
  readonly #counters = new Map<NameOf<'counter'>, Map<string, Point>>();
  readonly #histograms = new Map<NameOf<'histogram'>, Map<string, Distribution>>();
  #reported: readonly Family<'gauge'>[] = [];

  count(name: NameOf<'counter'>, labels: Labels, by = 1): void {
    const points = seriesOf(this.#counters, name);
    const key = keyOf(labels);
    points.set(key, { labels, value: (points.get(key)?.value ?? 0) + by });
  }

  record(name: NameOf<'histogram'>, labels: Labels, value: number): void {
    const distributions = seriesOf(this.#histograms, name);
    const key = keyOf(labels);
    const { atMost, count, sum } = distributions.get(key) ?? NONE;
    distributions.set(key, {
      labels,
      atMost: HISTOGRAM_BOUNDS.map((bound, i) => (atMost[i] ?? 0) + (value <= bound ? 1 : 0)),
      count: count + 1,
      sum: sum + value,
    });
  }

  counted(): Counted {
    return {
      process: this.#process,
      counters: [...this.#counters].map(([name, points]) => ({ name, points: [...points.values()] })),
      histograms: [...this.#histograms].map(([name, all]) => ({ name, distributions: [...all.values()] })),
    };
  }

  async report(gauges: readonly Family<'gauge'>[]): Promise<void> {
    this.#reported = gauges;
  }

  /** The gauges that were reported last. */
  get reported(): readonly Family<'gauge'>[] {
    return this.#reported;
  }
}

const NONE = { atMost: [], count: 0, sum: 0 } as const;

function seriesOf<Name, Value>(all: Map<Name, Map<string, Value>>, name: Name): Map<string, Value> {
  const found = all.get(name) ?? new Map<string, Value>();
  all.set(name, found);
  return found;
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}
