import type { Family, HistogramFamily, Labels, NameOf } from '../domain/metrics.ts';

/** What a process has counted since it began. */
export interface Counted {
  /** Tells the processes apart: each counts for itself, from 0 on. */
  readonly process: string;
  readonly counters: readonly Family<'counter'>[];
  readonly histograms: readonly HistogramFamily[];
}

/**
 * Where numbers are told.
 * 1. `count` adds to a counter, `record` puts a value into a histogram. They never throw and never wait.
 * 2. `counted` answers all that was counted and recorded by this process, the same labels in whatever order together.
 * 3. `report` tells the present values of gauges, once: those told before are worth nothing any more. It waits until
 *    somebody else has them, and fails with nobody: numbers that are lost come again with the next report.
 * Labels have few values, and never a secret.
 */
export interface Metrics {
  /** @param by 0 or more */
  count(name: NameOf<'counter'>, labels: Labels, by?: number): void;
  record(name: NameOf<'histogram'>, labels: Labels, value: number): void;
  counted(): Counted;
  report(gauges: readonly Family<'gauge'>[]): Promise<void>;
}
