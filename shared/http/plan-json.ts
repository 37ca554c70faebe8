import { toInstant } from '../domain/instants.ts';
import type { Plan } from '../use-cases/get-plan.ts';

/** The body of `GET /api/plan`. */
export function planJson(plan: Plan) {
  return {
    at: toInstant(plan.at),
    computedAt: toInstant(plan.computedAt),
    counts: plan.counts,
    entries: plan.entries.map((entry) => ({
      ...entry,
      dueAt: toInstant(entry.dueAt),
      windowOpensAt: entry.windowOpensAt === null ? null : toInstant(entry.windowOpensAt),
      windowClosesAt: entry.windowClosesAt === null ? null : toInstant(entry.windowClosesAt),
    })),
    nextCursor: plan.nextCursor,
  };
}
