import { toInstant } from '../domain/instants.ts';
import type { Events } from '../use-cases/get-events.ts';

/** The body of `GET /api/events`. */
export function eventsJson({ items, nextCursor, seal }: Events) {
  const checkpointAt = seal.checkpointAt === null ? null : toInstant(seal.checkpointAt);
  return { items, nextCursor, seal: { ...seal, checkpointAt } };
}
