import { cpuUsage, memoryUsage } from 'node:process';

/** One line of the report: what was measured, the figure, and what it is measured against. */
export interface Row {
  readonly part: string;
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  /** Against the line that the note names; null where there is nothing to compare with. */
  readonly ratio: number | null;
  readonly note: string;
}

export interface Report {
  add(row: Row): void;
  /** What stands between an aim and the figure. */
  remark(text: string): void;
}

/** CPU time of this process for each piece of work, in µs, whatever else the machine does. */
export function cpuCosts(works: readonly (() => void)[], seconds: number): number[] {
  const SLICE = 20;
  const spent = works.map(() => ({ cpu: 0, times: 0 }));
  for (const work of works) for (let i = 0; i < 10 * SLICE; i++) work();
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    for (const [i, work] of works.entries()) {
      const before = cpuUsage();
      for (let n = 0; n < SLICE; n++) work();
      const { user, system } = cpuUsage(before);
      const one = spent[i];
      if (one === undefined) continue;
      one.cpu += user + system;
      one.times += SLICE;
    }
  }
  return spent.map(({ cpu, times }) => cpu / times);
}

/** How often `work` ends in a second when it is called `concurrency` times at once, and how long the calls take. */
export async function rate(
  work: (n: number) => Promise<void>,
  concurrency: number,
  limit: { readonly seconds: number; readonly times: number },
): Promise<{ perSecond: number; times: number; percentile(p: number): number }> {
  const latencies: number[] = [];
  const begun = performance.now();
  const end = begun + limit.seconds * 1000;
  let next = 0;
  const worker = async () => {
    while (next < limit.times && performance.now() < end) {
      const from = performance.now();
      await work(next++);
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const perSecond = (latencies.length * 1000) / (performance.now() - begun);
  latencies.sort((a, b) => a - b);
  const percentile = (p: number) => latencies[Math.ceil((latencies.length * p) / 100) - 1] ?? Number.NaN;
  return { perSecond, times: latencies.length, percentile };
}

/** Resident memory of this process in MB, after a collection where the process allows to ask for one. */
export function residentMegabytes(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return memoryUsage().rss / 1e6;
}

/** The middle one; the upper of the two middle ones. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
