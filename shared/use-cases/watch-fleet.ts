import type { CredentialKind } from '../domain/identity.ts';
import { NOT_RENEWED_IN_TIME, SIGNALS } from '../domain/signals.ts';
import type { Deps, Run } from './deps.ts';
import { gauge, measureFleet, point, seconds } from './measure-fleet.ts';

/** What is told of all credentials of a kind in a cluster: one by one they would be too many for a metrics store. */
interface Soonest {
  readonly cluster: string;
  readonly kind: CredentialKind;
  notAfter: Date;
  renewAt: Date;
  overdue: number;
}

/**
 * Clusters and kinds whose gauges are told: those that ask for somebody's attention first. Each value is paid for, twice an
 * hour, and all of them travel in one request. `GET /api/metrics` leaves nobody out.
 */
const TOLD_MAX = 1_000;

/**
 * Looks at the whole fleet and says what it saw: its gauges, of the credentials those that end first, and one line with
 * all reasons of its status, which alerts are built on. So an alert and the status page never judge differently. The line comes
 * first, because gauges can take their time to arrive. Changes nothing, so that two at once do no harm.
 */
export async function watchFleet(deps: Deps, run: Run): Promise<Readonly<Record<string, number>>> {
  const found = new Map<string, Soonest>();
  const { status, gauges } = await measureFleet(
    deps,
    ({ cluster }, { kind, notAfter, renewAt, isOverdue }) => {
      const key = `${cluster}|${kind}`;
      const soonest = found.get(key) ?? { cluster, kind, notAfter, renewAt, overdue: 0 };
      if (notAfter < soonest.notAfter) soonest.notAfter = notAfter;
      if (renewAt < soonest.renewAt) soonest.renewAt = renewAt;
      if (isOverdue) soonest.overdue += 1;
      found.set(key, soonest);
    },
  );
  const all = [...found.values()];
  const overdue = all.reduce((sum, one) => sum + one.overdue, 0);
  const reasons = Object.fromEntries([
    ...status.reasons.map(({ code, count }) => [code, count] as const),
    ...(overdue === 0 ? [] : [[NOT_RENEWED_IN_TIME, overdue] as const]),
  ]);
  run.log.write(overdue > 0 || status.overall !== 'ok' ? 'warn' : 'info', SIGNALS.reasons, reasons);
  const told = all.sort(byAttention).slice(0, TOLD_MAX);
  const of = (value: (one: Soonest) => number) =>
    told.map((one) => point({ cluster: one.cluster, kind: one.kind }, value(one)));
  await deps.metrics.report([
    ...gauges,
    gauge(
      'everleaf.credential.not_after',
      of(({ notAfter }) => seconds(notAfter)),
    ),
    gauge(
      'everleaf.credential.renew_at',
      of(({ renewAt }) => seconds(renewAt)),
    ),
    gauge(
      'everleaf.credential.overdue',
      of(({ overdue }) => overdue),
    ),
  ]);
  return reasons;
}

/** With overdue credentials before those without; then those that end sooner. */
function byAttention(a: Soonest, b: Soonest): number {
  return Number(b.overdue > 0) - Number(a.overdue > 0) || a.notAfter.getTime() - b.notAfter.getTime();
}
