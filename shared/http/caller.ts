import type { HttpRequest } from '@azure/functions';
import type { App } from '../app.ts';
import { decideAccess, type RoleAssignment, type Verdict } from '../domain/access.ts';
import type { Action } from '../domain/actions.ts';
import type { Actor } from '../domain/audit.ts';
import { appRoleAssignments, BUILT_IN_ROLES } from '../domain/built-in-roles.ts';
import { EverleafError } from '../domain/errors.ts';
import { addressOf } from '../domain/source.ts';
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
  if (access.credential !== 'operator') return makeCaller({ kind: 'anonymous', id: null, source }, []);
  const { id, appRoles } = await app.operators.authenticate(request.headers.get('authorization'));
  const caller = makeCaller({ kind: 'operator', id, source }, appRoleAssignments(id, appRoles));
  await caller.demand(access.action, scopeOf(access.scope, request.params));
  return caller;
}

function makeCaller(actor: Actor, implied: readonly RoleAssignment[]): Caller {
  const may = async (action: Action, scope: string) => decideAccess(implied, BUILT_IN_ROLES, action, scope);
  return {
    actor,
    may,
    demand: async (action, scope) => {
      const { allowed, reason } = await may(action, scope);
      if (!allowed) throw new EverleafError('AccessDenied', `This needs ${action} at ${scope}. ${reason}`);
    },
  };
}

/** The scope that a route's parameters name. A name that is missing or odd makes it no scope. */
function scopeOf(template: ScopeTemplate, parameters: Readonly<Record<string, string>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => parameters[name] ?? '');
}

/** The platform's front end appends the caller's address; what stands before it anybody may have written. */
function sourceOf(request: HttpRequest): string | null {
  return addressOf(request.headers.get('x-forwarded-for')?.split(',').at(-1) ?? '');
}
