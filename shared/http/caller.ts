import type { HttpRequest } from '@azure/functions';
import type { App } from '../app.ts';
import type { Verdict } from '../domain/access.ts';
import type { Action } from '../domain/actions.ts';
import type { Actor } from '../domain/audit.ts';
import { appRoleAssignments } from '../domain/built-in-roles.ts';
import { EverleafError } from '../domain/errors.ts';
import { judgeAccess, type Subject } from '../use-cases/judge-access.ts';
import type { RouteAccess, ScopeTemplate } from './routes.ts';

/** Who calls, and what they may do beside what the route itself wanted. */
export interface Caller {
  readonly actor: Actor;
  /** Asks the access rules about one action at one scope; whoever is anonymous may do nothing. */
  may(action: Action, scope: string): Promise<Verdict>;
  /** @throws EverleafError AccessDenied, which says why not */
  demand(action: Action, scope: string): Promise<void>;
}

/**
 * Finds out who calls, and refuses whoever may not call this route.
 * @throws EverleafError NoAuthenticationInformation, InvalidToken, IdentityProviderUnavailable, AccessDenied;
 *   InvalidInput when the route's parameters name no scope
 */
export async function authenticate(app: App, access: RouteAccess, request: HttpRequest): Promise<Caller> {
  const source = sourceOf(request);
  if (access.credential !== 'operator') {
    return makeCaller(app, { kind: 'anonymous', id: null, source }, null);
  }
  const { id, appRoles } = await app.operators.authenticate(request.headers.get('authorization'));
  const subject = { principal: { kind: 'operator', id }, implied: appRoleAssignments(id, appRoles) } as const;
  const caller = makeCaller(app, { kind: 'operator', id, source }, subject);
  await caller.demand(access.action, scopeOf(access.scope, request.params));
  return caller;
}

const NOBODY: Verdict = { allowed: false, reason: 'The caller is anonymous.', role: null, assignment: null };

function makeCaller({ deps }: App, actor: Actor, subject: Subject | null): Caller {
  const may = async (action: Action, scope: string) =>
    subject === null ? NOBODY : judgeAccess(deps, subject, action, scope);
  return {
    actor,
    may,
    demand: async (action, scope) => {
      const { allowed, reason } = await may(action, scope);
      if (!allowed) throw new EverleafError('AccessDenied', `This needs ${action} at ${scope}. ${reason}`);
    },
  };
}

/**
 * The scope that a route's parameters name. A slash in one would make another scope of it; whatever else is odd makes
 * it none.
 */
function scopeOf(template: ScopeTemplate, parameters: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => parameters[name]?.replaceAll('/', '%2F') ?? '');
}

/** The platform's front end appends the caller's address; what stands before it anybody may have written. */
function sourceOf(request: HttpRequest): string | null {
  return request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? null;
}
