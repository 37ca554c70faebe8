import { type Family, HISTOGRAM_BOUNDS, type Labels, METRICS, type MetricName } from '../domain/metrics.ts';
import type { AllMetrics } from '../use-cases/read-metrics.ts';

/** Text exposition format 0.0.4 (prometheus.io, "Exposition formats"); not OpenMetrics, which ends with `# EOF`. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Metrics as Prometheus scrapes them. Names and units go over as OpenTelemetry says ("Prometheus and OpenMetrics
 * Compatibility"): underscores, the unit's word, `_total` for a counter. All series of a metric stand together, behind its
 * HELP and TYPE. What a process has counted carries its name, so that a scrape that meets another one next time finds no
 * counter that runs backwards.
 */
export function prometheusText({ gauges, process, counters, histograms }: AllMetrics): string {
  const lines: string[] = [];
  const write = ({ name, points }: Family<'gauge'> | Family<'counter'>, own: Labels) => {
    const family = head(lines, name);
    for (const { labels, value } of points) lines.push(`${family}${braced({ ...labels, ...own })} ${value}`);
  };
  for (const family of gauges) write(family, {});
  for (const family of counters) write(family, { process });
  for (const { name, distributions } of histograms) {
    const family = head(lines, name);
    for (const { labels: given, atMost, count, sum } of distributions) {
      const labels = { ...given, process };
      for (const [i, bound] of HISTOGRAM_BOUNDS.entries()) {
        lines.push(`${family}_bucket${braced({ ...labels, le: String(bound) })} ${atMost[i]}`);
      }
      lines.push(`${family}_bucket${braced({ ...labels, le: '+Inf' })} ${count}`);
      lines.push(`${family}_sum${braced(labels)} ${sum}`, `${family}_count${braced(labels)} ${count}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** The metric's name in Prometheus. */
function head(lines: string[], name: MetricName): string {
  const { kind, unit, description } = METRICS[name];
  const family = `${name.replaceAll('.', '_')}${unit === 's' ? '_seconds' : ''}${kind === 'counter' ? '_total' : ''}`;
  lines.push(`# HELP ${family} ${description}`, `# TYPE ${family} ${kind}`);
  return family;
}

function braced(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
