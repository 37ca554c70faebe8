import type { HttpRequest } from '@azure/functions';
import { EVENT_TYPES, type EventType, FLEET_CHAIN } from '../domain/audit.ts';
import { EverleafError } from '../domain/errors.ts';
import { addMs, SECOND_MS, wholeSecond } from '../domain/instants.ts';
import { isClusterName } from '../domain/names.ts';
import type { EventQuery } from '../use-cases/get-events.ts';
import { readInstant, readLimit } from './query.ts';

const LAST_MOMENT = new Date('9999-12-31T23:59:59.999Z');

/**
 * What `GET /api/events` asks for. `from` and `to` both count in, and are compared with moments as they are shown: in
 * whole seconds.
 * @throws EverleafError InvalidInput
 */
export function readEventQuery(request: HttpRequest): EventQuery {
  const from = readInstant(request, 'from');
  const to = readInstant(request, 'to');
  return {
    chain: readChain(request),
    type: readType(request),
    from: from === null ? null : withinYears(wholeSecond(addMs(from, SECOND_MS - 1))),
    before: to === null ? null : withinYears(addMs(wholeSecond(to), SECOND_MS)),
    limit: readLimit(request),
    cursor: request.query.get('cursor'),
  };
}

/** Moments are compared as texts, which begin with another character from the year 10000 on. */
function withinYears(date: Date): Date {
  return date > LAST_MOMENT ? LAST_MOMENT : date;
}

function readChain(request: HttpRequest): string | null {
  const cluster = request.query.get('cluster');
  if (cluster === null || cluster === FLEET_CHAIN || isClusterName(cluster)) return cluster;
  throw new EverleafError(
    'InvalidInput',
    `cluster is the name of a cluster, or ${FLEET_CHAIN} for what concerns none.`,
  );
}

function readType(request: HttpRequest): EventType | null {
  const text = request.query.get('type');
  if (text === null) return null;
  const type = EVENT_TYPES.find((known) => known === text);
  if (type === undefined) {
    throw new EverleafError('InvalidInput', `type is one of ${EVENT_TYPES.join(', ')}.`);
  }
  return type;
}
