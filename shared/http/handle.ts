import type {
  HttpHandler,
  HttpMethod,
  HttpRequest,
  HttpResponseInit,
  InvocationContext,
} from '@azure/functions';
import { invocationLog } from '../adapters/system/invocation-log.ts';
import { type App, getApp } from '../app.ts';
import type { Actor } from '../domain/audit.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Run } from '../use-cases/deps.ts';
import { correlationIdOf } from './correlation.ts';
import { problemResponse } from './problem.ts';
import { ROUTES, type RouteName, type RoutePolicy } from './routes.ts';

/** One call of a route, after its credential was checked. */
export interface Call {
  readonly app: App;
  readonly request: HttpRequest;
  readonly run: Run;
}

/** What `app.http` wants to know of a route beside its authLevel and handler. */
export function routeOf(name: RouteName): { methods: HttpMethod[]; route: string } {
  const { methods, route } = ROUTES[name];
  return { methods: [...methods], route };
}

/**
 * Wraps a route's handler: correlation id, credential by the route table, and one way out for errors.
 */
export function handled(name: RouteName, action: (call: Call) => Promise<HttpResponseInit>): HttpHandler {
  return async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    const correlationId = correlationIdOf(request.headers.get('x-correlation-id'), context.invocationId);
    const log = invocationLog(context, correlationId);
    try {
      const app = getApp();
      const actor = await authenticate(app, name, request);
      const response = await action({ app, request, run: { actor, correlationId, log } });
      return withCommonHeaders(response, correlationId);
    } catch (error) {
      const response = problemResponse(error, correlationId);
      if ((response.status ?? 500) >= 500) log.write('error', describe(error));
      return withCommonHeaders(response, correlationId);
    }
  };
}

function describe(error: unknown): string {
  if (error instanceof EverleafError)
    return `${error.code}: ${error.message} ${JSON.stringify(error.details)}`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function authenticate(app: App, name: RouteName, request: HttpRequest): Promise<Actor> {
  const { credential } = ROUTES[name] as RoutePolicy;
  const source = sourceOf(request);
  if (credential === 'anyone' || credential === 'token' || credential === 'proof') {
    return { kind: 'anonymous', id: null, source };
  }
  const operator = await app.operators.authenticate(request.headers.get('authorization'));
  if (!operator.rights.has(credential)) {
    throw new EverleafError(
      'AccessDenied',
      `This needs the role Everleaf.${credential === 'Owner' ? 'Operator' : 'Reader or Everleaf.Operator'}.`,
    );
  }
  return { kind: 'operator', id: operator.id, source };
}

/** The platform's front end appends the caller's address; what stands before it anybody may have written. */
function sourceOf(request: HttpRequest): string | null {
  return request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? null;
}

function withCommonHeaders(response: HttpResponseInit, correlationId: string): HttpResponseInit {
  return {
    ...response,
    headers: {
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-correlation-id': correlationId,
      ...(response.headers as Record<string, string> | undefined),
    },
  };
}
