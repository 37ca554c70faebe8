import type { HttpRequest } from '@azure/functions';
import type { App } from '../app.ts';
import { identityPrincipal, type Verdict } from '../domain/access.ts';
import type { Action } from '../domain/actions.ts';
import type { Actor } from '../domain/audit.ts';
import { appRoleAssignments, clientTypeAssignments } from '../domain/built-in-roles.ts';
import { type ErrorCode, EverleafError, isEverleafError } from '../domain/errors.ts';
import { identityText } from '../domain/names.ts';
import { addressOf } from '../domain/source.ts';
import { countDeniedAccess } from '../use-cases/count-denied-access.ts';
import type { Rights, Run } from '../use-cases/deps.ts';
import { judgeAccess, type Subject } from '../use-cases/judge-access.ts';
import { readBody } from './body.ts';
import { hasProof, proveCaller } from './proof.ts';
import type { RouteAccess, ScopeTemplate } from './routes.ts';

/** Who calls, and what they may do beside what the route itself wanted. */
export interface Caller extends Rights {
  /** Whoever is anonymous may do nothing that a route's handler asks about. */
  readonly actor: Actor;
}

/** A request that nobody has answered for yet. */
export interface Arrival {
  readonly app: App;
  readonly request: HttpRequest;
  /** The caller is anonymous as yet. */
  readonly run: Run;
}

/** A credential that was shown and did not count. Without one, there is nobody to write down. */
const REFUSED_CREDENTIALS: ErrorCode[] = ['InvalidToken', 'InvalidProof', 'Expired', 'Revoked', 'Locked'];

/**
 * Finds out who calls, and refuses whoever may not call this route. An operator's bearer token and a proof of an
 * identity's key are two ways to say who one is; what that is worth the access rules decide alike.
 * @throws EverleafError NoAuthenticationInformation, InvalidToken, IdentityProviderUnavailable; what `verifyProof`
 *   throws; AccessDenied; InvalidInput when the route's parameters name no scope
 */
export async function authenticate(arrival: Arrival, access: RouteAccess): Promise<Caller> {
  const { app, request, run } = arrival;
  if (access.credential !== 'operator') return makeCaller(app, run, run.actor, null);
  const caller = await (hasProof(arrival) ? provenCaller(arrival) : operatorCaller(arrival)).catch(
    async (error: unknown) => {
      if (isEverleafError(error, ...REFUSED_CREDENTIALS)) {
        await countDeniedAccess(app.deps, run, access.action, error.code);
      }
      throw error;
    },
  );
  await caller.demand(access.action, scopeOf(access.scope, request.params));
  return caller;
}

async function operatorCaller({ app, request, run }: Arrival): Promise<Caller> {
  const { id, appRoles } = await app.operators.authenticate(request.headers.get('authorization'));
  const subject = { principal: { kind: 'operator', id }, implied: appRoleAssignments(id, appRoles) } as const;
  return makeCaller(app, run, { ...run.actor, kind: 'operator', id }, subject);
}

async function provenCaller(arrival: Arrival): Promise<Caller> {
  const { app, request, run } = arrival;
  // The handler reads the body itself, later: what is read here is a copy.
  const body = request.method === 'GET' ? null : await readBody(request.clone());
  const { identity } = await proveCaller(arrival, body, { isRenewal: false, isSingleUse: true });
  const subject = { principal: identityPrincipal(identity), implied: clientTypeAssignments(identity) };
  return makeCaller(app, run, { ...run.actor, kind: 'agent', id: identityText(identity) }, subject);
}

/** Who calls before anybody has said so: where the call comes from. */
export function anonymousActor(request: HttpRequest): Actor {
  return { kind: 'anonymous', id: null, source: sourceOf(request) };
}

const NOBODY: Verdict = { allowed: false, reason: 'The caller is anonymous.', role: null, assignment: null };

function makeCaller({ deps }: App, run: Run, actor: Actor, subject: Subject | null): Caller {
  const may = async (action: Action, scope: string) =>
    subject === null ? NOBODY : judgeAccess(deps, subject, action, scope);
  return {
    actor,
    may,
    demand: async (action, scope) => {
      const { allowed, reason } = await may(action, scope);
      if (allowed) return;
      await countDeniedAccess(deps, { ...run, actor }, action, 'AccessDenied');
      throw new EverleafError('AccessDenied', `This needs ${action} at ${scope}. ${reason}`);
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
  return addressOf(request.headers.get('x-forwarded-for')?.split(',').at(-1) ?? '');
}
