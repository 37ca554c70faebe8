import type { HttpRequest } from '@azure/functions';
import { EVENT_TYPES, type EventType, FLEET_CHAIN } from '../domain/audit.ts';
import { EverleafError } from '../domain/errors.ts';
import { addMs, SECOND_MS, wholeSecond } from '../domain/instants.ts';
import { isClusterName } from '../domain/names.ts';
import type { EventQuery } from '../use-cases/get-events.ts';
import { readInstant, readLimit } from './query.ts';

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
    from: from === null ? null : wholeSecond(addMs(from, SECOND_MS - 1)),
    before: to === null ? null : addMs(wholeSecond(to), SECOND_MS),
    limit: readLimit(request),
    cursor: request.query.get('cursor'),
  };
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
