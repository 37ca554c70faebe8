import { setTimeout as sleep } from 'node:timers/promises';
import { ConnectionDropped, VaultError } from '../errors.ts';
import type { Middleware, VaultResponse } from '../request.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { FaultEffect } from './rule.ts';

/** What faults do to the process; tests of the plan alone put something else here. */
export interface Hazards {
  /** Ends the process as SIGKILL does, at once; never returns. */
  crash(): Promise<never>;
  /** The next durable write is to be cut in the middle, and to be the last. */
  armTornWrite(): void;
}

/** Lets the planned faults strike requests; everything behind this step is the vault. */
export function faultInjection(plan: FaultPlan, hazards: Hazards): Middleware {
  return async (request, next) => {
    let work = () => next(request);
    for (const effect of plan.strike(request)) work = struck(effect, work, hazards);
    return work();
  };
}

type Work = () => Promise<VaultResponse>;

function struck(effect: FaultEffect, work: Work, hazards: Hazards): Work {
  switch (effect.kind) {
    case 'latency':
      return async () => {
        await sleep(effect.ms);
        return work();
      };
    case 'torn-write':
      return async () => {
        hazards.armTornWrite();
        return work();
      };
    case 'crash':
      return around(effect.when, work, () => hazards.crash());
    case 'drop':
      return around(effect.when, work, () => {
        throw new ConnectionDropped();
      });
    case 'status':
      return around(effect.when, work, () => {
        throw injectedError(effect);
      });
  }
}

/** What comes `after` comes whether the work succeeded or was refused: the caller learns neither. */
function around(when: 'before' | 'after', work: Work, strike: () => Promise<never> | never): Work {
  return async () => {
    if (when === 'after') await work().catch(() => undefined);
    return strike();
  };
}

function injectedError(effect: Extract<FaultEffect, { kind: 'status' }>): VaultError {
  const { status, retryAfterSeconds } = effect;
  return new VaultError(
    status,
    effect.code ?? CODES[status] ?? (status < 500 ? 'BadParameter' : 'InternalServerError'),
    effect.message ?? `Injected fault: ${status}.`,
    retryAfterSeconds === undefined ? {} : { headers: { 'Retry-After': String(retryAfterSeconds) } },
  );
}

/** The service's usual code of a status. */
const CODES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  429: 'Throttled',
  503: 'ServiceUnavailable',
};
