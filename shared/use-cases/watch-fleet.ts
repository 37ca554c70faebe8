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
 * Looks at the whole fleet and says what it saw: its gauges, of the credentials those that end first, and one line with
 * all reasons of its status, which alerts are built on. So an alert and the status page never judge differently. Changes
 * nothing, so that two at once do no harm.
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
  const of = (value: (one: Soonest) => number) =>
    all.map((one) => point({ cluster: one.cluster, kind: one.kind }, value(one)));
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
  const overdue = all.reduce((sum, one) => sum + one.overdue, 0);
  const reasons = Object.fromEntries([
    ...status.reasons.map(({ code, count }) => [code, count] as const),
    ...(overdue === 0 ? [] : [[NOT_RENEWED_IN_TIME, overdue] as const]),
  ]);
  run.log.write(overdue > 0 || status.overall !== 'ok' ? 'warn' : 'info', SIGNALS.reasons, reasons);
  return reasons;
}
