import { type AuditEvent, type EventType, FLEET, FLEET_CHAIN } from '../domain/audit.ts';
import { toHex } from '../domain/encoding.ts';
import type { ErrorDetails } from '../domain/errors.ts';
import type { IdentityId } from '../domain/names.ts';
import type { EventChange } from '../ports/identity-store.ts';
import type { Deps, Run } from './deps.ts';

export interface EventFacts {
  readonly outcome?: AuditEvent['outcome'];
  readonly reason?: string;
  readonly serialNumber?: string;
  readonly authorityId?: string;
  readonly details?: ErrorDetails;
}

/** The change that writes what happened into the identity's own transaction; `FLEET` when it concerns no cluster. */
export function eventChange(
  deps: Pick<Deps, 'clock' | 'random'>,
  run: Run,
  type: EventType,
  identity: IdentityId,
  facts: EventFacts = {},
): EventChange {
  const isFleet = identity.cluster === FLEET_CHAIN;
  return {
    op: 'insert',
    kind: 'event',
    value: {
      v: 1,
      id: toHex(deps.random.bytes(16)),
      time: deps.clock.now(),
      type,
      outcome: facts.outcome ?? 'success',
      reason: facts.reason ?? null,
      count: 1,
      actor: run.actor,
      target: {
        cluster: isFleet ? null : identity.cluster,
        name: identity.name === FLEET.name ? null : identity.name,
        serialNumber: facts.serialNumber ?? null,
        authorityId: facts.authorityId ?? null,
      },
      correlationId: run.correlationId,
      details: facts.details ?? {},
      identity: { cluster: identity.cluster, name: identity.name },
    },
  };
}
