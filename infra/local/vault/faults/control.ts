import { z } from 'zod';
import type { AuditLog } from '../audit/audit-log.ts';
import { readBody } from '../body.ts';
import { badParameter, VaultError } from '../errors.ts';
import type { VaultResponse } from '../request.ts';
import { type Exchange, type Listening, listen } from '../server.ts';
import type { FaultPlan } from './fault-plan.ts';
import { ruleSchema } from './rule.ts';

/**
 * The control endpoint of the process, for tests and crash matrices: faults, and the audit log. It is no part of the
 * service: it stands on a port of its own, on the loopback address only, and asks for no token.
 * @param port 0 for any free one
 */
export function startControl(port: number, plan: FaultPlan, audit: AuditLog): Promise<Listening> {
  return listen(port, async (exchange) => {
    const [collection, id, ...rest] = exchange.segments;
    if (rest.length === 0 && collection === 'faults') return faults(exchange, id, plan);
    if (id === undefined && collection === 'audit' && exchange.method === 'GET') {
      return { status: 200, body: { items: await audit.read(readBody(filterSchema, filterText(exchange))) } };
    }
    throw unknownRoute(exchange);
  });
}

/** One rule or several. */
const rulesSchema = z.preprocess((body) => (Array.isArray(body) ? body : [body]), z.array(ruleSchema).min(1));
const filterSchema = z.object({
  vault: z.string().optional(),
  operation: z.string().optional(),
  limit: z.coerce.number().int().min(1).optional(),
});

function filterText({ query }: Exchange): string {
  return JSON.stringify(Object.fromEntries(query));
}

function faults(exchange: Exchange, id: string | undefined, plan: FaultPlan): VaultResponse {
  if (exchange.method === 'GET' && id === undefined) return { status: 200, body: { rules: plan.list() } };
  if (exchange.method === 'POST' && id === undefined) {
    // Web pages can send other types without asking: a browser on this machine must not reach this.
    if (!exchange.contentType.startsWith('application/json')) {
      throw badParameter('Fault rules are JSON: send them with Content-Type: application/json.');
    }
    return { status: 201, body: { rules: plan.add(readBody(rulesSchema, exchange.body)) } };
  }
  if (exchange.method === 'DELETE') {
    if (plan.remove(id)) return { status: 204 };
    throw new VaultError(404, 'NotFound', `There is no fault rule ${id}.`);
  }
  throw unknownRoute(exchange);
}

function unknownRoute({ method, segments }: Exchange): VaultError {
  return new VaultError(
    404,
    'NotFound',
    `The control endpoint has no route ${method} /${segments.join('/')}: it has GET, POST and DELETE /faults, ` +
      'DELETE /faults/{id}, and GET /audit.',
  );
}
