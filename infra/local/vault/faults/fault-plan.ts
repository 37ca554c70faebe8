import { newId } from '../identifiers.ts';
import type { VaultRequest } from '../request.ts';
import type { FaultEffect, FaultRule } from './rule.ts';

/** A rule in force, with what became of it so far. */
interface PlannedFault {
  readonly id: string;
  readonly rule: FaultRule;
  /** Requests that met its conditions, skipped ones included. */
  matched: number;
  /** Requests it has struck. */
  hits: number;
}

/** The faults of a process, in the order they were given. They are kept in memory only: a restart begins without. */
export class FaultPlan {
  #faults: PlannedFault[] = [];

  add(rules: readonly FaultRule[]): Record<string, unknown>[] {
    const added = rules.map((rule) => ({ id: newId(), rule, matched: 0, hits: 0 }));
    this.#faults.push(...added);
    return added.map(show);
  }

  list(): Record<string, unknown>[] {
    return this.#faults.map(show);
  }

  /** Removes one rule, or all; false when there is none of that id. */
  remove(id?: string): boolean {
    const before = this.#faults.length;
    this.#faults = id === undefined ? [] : this.#faults.filter((fault) => fault.id !== id);
    return id === undefined || this.#faults.length < before;
  }

  /**
   * What is to happen to a request, which is thereby counted: every latency that strikes it, and the first effect of
   * another kind. Rules behind that one do not see the request. A request without a token is none of theirs: with it the
   * clients only ask for the challenge, once each, and counting that would make `skip` and `times` a matter of luck.
   */
  strike(request: VaultRequest): FaultEffect[] {
    if (request.authorization === null) return [];
    const effects: FaultEffect[] = [];
    for (const fault of this.#faults) {
      const { rule } = fault;
      if (!meets(rule, request)) continue;
      fault.matched++;
      if (fault.matched <= rule.skip || fault.hits >= (rule.times ?? Number.POSITIVE_INFINITY)) continue;
      fault.hits++;
      effects.push(rule.effect);
      if (rule.effect.kind !== 'latency') break;
    }
    return effects;
  }
}

function meets({ vault, method, path, action }: FaultRule, request: VaultRequest): boolean {
  return (
    (vault === undefined || vault === request.vault.name) &&
    (method === undefined || method === request.method) &&
    (action === undefined || action === request.operation) &&
    (path === undefined || path.expression.test(`/${request.segments.join('/')}`))
  );
}

function show({ id, rule, matched, hits }: PlannedFault): Record<string, unknown> {
  const { path, ...rest } = rule;
  const exhausted = rule.times !== undefined && hits >= rule.times;
  return { id, ...rest, ...(path === undefined ? {} : { path: path.text }), matched, hits, exhausted };
}
