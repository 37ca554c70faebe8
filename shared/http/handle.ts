import type {
  HttpHandler,
  HttpMethod,
  HttpRequest,
  HttpResponseInit,
  InvocationContext,
} from '@azure/functions';
import { invocationLog } from '../adapters/system/invocation-log.ts';
import { inTrace } from '../adapters/system/trace.ts';
import { type App, getApp } from '../app.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Run } from '../use-cases/deps.ts';
import { anonymousActor, authenticate } from './caller.ts';
import { correlationIdOf } from './correlation.ts';
import { problemResponse } from './problem.ts';
import { type MethodOf, ROUTES, type RouteAccess, type RouteMethod, type RouteName } from './routes.ts';

/** One call of a route, after its credential was checked. */
export interface Call {
  readonly app: App;
  readonly request: HttpRequest;
  /** With the caller's rights, for what the route's own row does not say. */
  readonly run: Run;
}

type Action = (call: Call) => Promise<HttpResponseInit>;

/** What `app.http` wants to know of a route beside its authLevel and handler. */
export function routeOf(name: RouteName): { methods: HttpMethod[]; route: string } {
  const { methods, route } = ROUTES[name];
  return { methods: Object.keys(methods) as HttpMethod[], route };
}

/**
 * Wraps a route's handler: correlation id, credential by the route table, and one way out for errors.
 * @param actions the handler, or one for each method of the route
 */
export function handled<Name extends RouteName>(
  name: Name,
  actions: Action | Readonly<Record<MethodOf<Name>, Action>>,
): HttpHandler {
  return async (request: HttpRequest, context: InvocationContext): Promise<HttpResponseInit> => {
    const correlationId = correlationIdOf(request.headers.get('x-correlation-id'), context.invocationId);
    const log = invocationLog(context, correlationId);
    const answer = async () => {
      const app = getApp();
      const method = request.method as MethodOf<Name> & RouteMethod;
      const run = { actor: anonymousActor(request), correlationId, log };
      const caller = await authenticate({ app, request, run }, accessTo(name, method));
      const action = typeof actions === 'function' ? actions : actions[method];
      const response = await action({ app, request, run: { ...run, actor: caller.actor, rights: caller } });
      return withCommonHeaders(response, correlationId);
    };
    try {
      return await inTrace(context.invocationId, { correlationId, log }, answer);
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

function accessTo(name: RouteName, method: RouteMethod): RouteAccess {
  const methods: Readonly<Partial<Record<RouteMethod, RouteAccess>>> = ROUTES[name].methods;
  const access = methods[method];
  if (access === undefined) throw new EverleafError('NotFound', 'This path has no such method.');
  return access;
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
