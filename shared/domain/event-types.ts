import type { EventType } from './audit.ts';

/** Every type of event. A type without a row here does not compile. */
const TYPES: Readonly<Record<EventType, true>> = {
  'identity-created': true,
  login: true,
  'certificate-issued': true,
  'certificate-renewed': true,
  'certificate-attempt-abandoned': true,
  'token-rotated': true,
  'token-delivered': true,
  'renewal-queued': true,
  'renewal-failed': true,
  'authority-activated': true,
  reconciled: true,
};

/** The types that events can be asked for by. */
export const EVENT_TYPES: readonly EventType[] = Object.keys(TYPES) as EventType[];
