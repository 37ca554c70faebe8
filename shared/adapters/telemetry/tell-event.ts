import type { AuditEvent, EventType } from '../../domain/audit.ts';
import type { Labels, NameOf } from '../../domain/metrics.ts';
import { SIGNALS } from '../../domain/signals.ts';
import type { Metrics } from '../../ports/metrics.ts';
import { currentTrace } from '../system/trace.ts';

type Counter = (event: AuditEvent) => readonly [NameOf<'counter'>, Labels];

const renewal =
  (kind: 'certificate' | 'token'): Counter =>
  () => ['everleaf.renewals', { kind, outcome: 'success' }];

/** The events that are counted. */
const COUNTED: Readonly<Partial<Record<EventType, Counter>>> = {
  'certificate-renewed': renewal('certificate'),
  'token-rotated': renewal('token'),
  'token-cut-over': renewal('token'),
  'renewal-failed': ({ details }) => [
    'everleaf.renewals',
    { kind: String(details['kind'] ?? 'unknown'), outcome: 'failure' },
  ],
  'login-denied': ({ reason }) => ['everleaf.login.denied', { reason: reason ?? 'none' }],
  'recovery-used': () => ['everleaf.recovery.used', {}],
};

/**
 * Counts what happens, and writes it as a line into the log of the invocation that it happened in: alerts look for such
 * lines. Nothing of an event is in the line that could be a secret or a person: no actor, no source.
 */
export function eventTeller(metrics: Metrics): (event: AuditEvent) => void {
  return (event) => {
    const { type, outcome, reason, count, target, details } = event;
    const counter = COUNTED[type]?.(event);
    if (counter !== undefined) metrics.count(...counter, count);
    currentTrace()?.log.write('info', SIGNALS.event, {
      type,
      outcome,
      reason: reason ?? '',
      count,
      cluster: target.cluster ?? '',
      name: target.name ?? '',
      ...(type === 'renewal-failed'
        ? { kind: details['kind'] ?? '', attempts: details['attempts'] ?? 0 }
        : {}),
    });
  };
}
