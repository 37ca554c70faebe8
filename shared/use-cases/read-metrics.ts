import type { Family, Point } from '../domain/metrics.ts';
import type { Counted } from '../ports/metrics.ts';
import type { Deps } from './deps.ts';
import { gauge, measureFleet, point, seconds } from './measure-fleet.ts';

/** Everything there is to tell in numbers at this moment. */
export interface AllMetrics extends Counted {
  readonly gauges: readonly Family<'gauge'>[];
}

/**
 * The gauges of the record, every single credential's among them, and what this process has counted: every process counts
 * for itself, and which one answers is the platform's choice.
 * @param cluster whose credentials are told one by one; null for all
 */
export async function readMetrics(deps: Deps, cluster: string | null): Promise<AllMetrics> {
  const notAfter: Point[] = [];
  const renewAt: Point[] = [];
  const overdue: Point[] = [];
  const { gauges } = await measureFleet(deps, (identity, ends) => {
    if (cluster !== null && identity.cluster !== cluster) return;
    const labels = { cluster: identity.cluster, name: identity.name, kind: ends.kind };
    notAfter.push(point(labels, seconds(ends.notAfter)));
    renewAt.push(point(labels, seconds(ends.renewAt)));
    if (ends.isOverdue) overdue.push(point(labels, 1));
  });
  return {
    gauges: [
      gauge('everleaf.credential.not_after', notAfter),
      gauge('everleaf.credential.renew_at', renewAt),
      gauge('everleaf.credential.overdue', overdue),
      ...gauges,
    ],
    ...deps.metrics.counted(),
  };
}
