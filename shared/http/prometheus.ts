import { type Family, HISTOGRAM_BOUNDS, type Labels, METRICS, type MetricName } from '../domain/metrics.ts';
import type { AllMetrics } from '../use-cases/read-metrics.ts';

/** Text exposition format 0.0.4 (prometheus.io, "Exposition formats"); not OpenMetrics, which ends with `# EOF`. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Metrics as Prometheus scrapes them. Names and units go over as OpenTelemetry says ("Prometheus and OpenMetrics
 * Compatibility"): underscores, the unit's word, `_total` for a counter. All series of a metric stand together, behind its
 * HELP and TYPE.
 */
export function prometheusText({ gauges, counters, histograms }: AllMetrics): string {
  const lines: string[] = [];
  for (const { name, points } of [...gauges, ...counters] as readonly Family[]) {
    const family = head(lines, name);
    for (const { labels, value } of points) lines.push(`${family}${braced(labels)} ${value}`);
  }
  for (const { name, distributions } of histograms) {
    const family = head(lines, name);
    for (const { labels, atMost, count, sum } of distributions) {
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
