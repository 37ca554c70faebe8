import { type AuditEvent, type EventType, FLEET_CHAIN } from '../../shared/domain/audit.ts';
import type { Change } from '../../shared/ports/identity-store.ts';

let made = 0;

/** An event of a chain, with an id that no other has; null is an event of no cluster. */
export function auditEvent(chain: string, time: Date, changes: Partial<AuditEvent> = {}): AuditEvent {
  made += 1;
  const isFleet = chain === FLEET_CHAIN;
  return {
    v: 1,
    id: made.toString(16).padStart(32, '0'),
    time,
    type: 'login' satisfies EventType,
    outcome: 'success',
    reason: null,
    count: 1,
    actor: { kind: 'agent', id: null, source: '192.0.2.1' },
    target: {
      cluster: isFleet ? null : chain,
      name: isFleet ? null : 'KMS',
      serialNumber: null,
      authorityId: null,
    },
    correlationId: '00000000-0000-0000-0000-000000000000',
    details: { number: made },
    ...changes,
  };
}

/** The change that writes it. */
export function eventOf(chain: string, event: AuditEvent): Change {
  return { op: 'insert', kind: 'event', value: { ...event, identity: { cluster: chain, name: 'KMS' } } };
}
