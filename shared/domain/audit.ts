import type { ErrorDetails } from './errors.ts';
import { MINUTE_MS } from './instants.ts';
import type { IdentityId } from './names.ts';

/** Every type of event, for those who ask for some of them. */
export const EVENT_TYPES = [
  'identity-created',
  'login',
  'login-denied',
  'certificate-issued',
  'certificate-renewed',
  'certificate-attempt-abandoned',
  'successor-proven',
  'successor-superseded',
  'instance-locked',
  'old-certificate-refused',
  'recovery-used',
  'bundle-acknowledged',
  'token-rotated',
  'token-delivered',
  'renewal-queued',
  'renewal-failed',
  'agent-reminded',
  'rotation-reminded',
  'authority-certificate-taken',
  'authority-prepared',
  'authority-published',
  'authority-activated',
  'authority-retired',
  'authority-tainted',
  'authority-taint-paused',
  'authority-taint-resumed',
  'authority-revoked',
  'authority-cancelled',
  'responder-renewed',
  'reconciled',
  'token-cut-over',
  'login-file-issued',
  'identity-changed',
  'identity-revoked',
  'identity-deleted',
  'instance-revoked',
  'instance-unlocked',
  'certificate-revoked',
  'revocation-rule-created',
  'revocation-rule-deleted',
  'crl-published',
  'cluster-created',
  'cluster-deletion-requested',
  'cluster-deleted',
  'operation-started',
  'operation-finished',
  'login-files-issued',
  'update-reminder',
  'role-written',
  'role-deleted',
  'role-assigned',
  'role-unassigned',
  'access-denied',
  'backup-written',
  'backup-restored',
] as const;

export type EventType = (typeof EVENT_TYPES)[number];

/** The chain of what belongs to no single cluster. No cluster can have this name: names begin with a letter or a digit. */
export const FLEET_CHAIN = '_fleet';

/** Whom an event of no cluster is written for: the change goes into the partition of `FLEET_CHAIN`. */
export const FLEET: IdentityId = { cluster: FLEET_CHAIN, name: '' };

/**
 * An event is sealed when it is this old, so that one that was made earlier and written later still finds its place
 * before it: between an event's time and its row lies one call of the storage, repeats included. A row that counts what
 * one minute brought is final by then; whoever counts writes no row of this age.
 */
export const SEAL_AFTER_MS = 2 * MINUTE_MS;

/** Who did something. `id` names an operator or identity; `source` is where a call came from. */
export interface Actor {
  readonly kind: 'agent' | 'operator' | 'timer' | 'anonymous';
  readonly id: string | null;
  readonly source: string | null;
}

/** What happened, written in the same transaction as the change itself. Never a secret. */
export interface AuditEvent {
  readonly v: 1;
  /** 32 hexadecimal digits. */
  readonly id: string;
  readonly time: Date;
  readonly type: EventType;
  readonly outcome: 'success' | 'denied' | 'failed';
  readonly reason: string | null;
  /** How many of the same the event stands for, 1 or more: refused logins of one source are counted by the minute. */
  readonly count: number;
  readonly actor: Actor;
  readonly target: {
    readonly cluster: string | null;
    readonly name: string | null;
    readonly serialNumber: string | null;
    readonly authorityId: string | null;
  };
  readonly correlationId: string;
  readonly details: ErrorDetails;
}
