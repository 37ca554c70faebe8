import { isActionPattern, matchesAction } from './actions.ts';
import { EverleafError } from './errors.ts';
import { checkIdentityId, type IdentityId, identityText, isSameIdentity } from './names.ts';
import { coversScope, parseScope } from './scope.ts';

/** A set of actions under a name, as in Azure RBAC and in the cloud agent. */
export interface Role {
  /** Unique ignoring case. */
  readonly name: string;
  /** Patterns of what it allows. */
  readonly actions: readonly string[];
  /** Patterns of what it does not allow after all. Another role may: this takes away from `actions` and denies nothing. */
  readonly notActions: readonly string[];
  /** Scopes in which it may be assigned. */
  readonly assignableScopes: readonly string[];
  /** True for the roles that the program brings along, which nobody changes. */
  readonly builtIn: boolean;
}

/** An identity of the fleet by its name, or the object id of an operator (a person or a program). */
export type PrincipalName =
  | {
      readonly kind: 'identity';
      readonly cluster: string;
      readonly name: string;
      /** Where it is given, the one that is meant. */
      readonly incarnation?: number | undefined;
    }
  | { readonly kind: 'operator'; readonly id: string };

/**
 * Who a role is assigned to. An identity that is made again under a name is somebody else: what was assigned to an earlier
 * incarnation is nothing to it.
 */
export type Principal =
  | {
      readonly kind: 'identity';
      readonly cluster: string;
      readonly name: string;
      /** 1 or more. */
      readonly incarnation: number;
    }
  | { readonly kind: 'operator'; readonly id: string };

/** A role given to somebody within a scope. */
export interface RoleAssignment {
  readonly id: string;
  readonly roleName: string;
  readonly scope: string;
  readonly principal: Principal;
}

/** An assignment as it is asked for: to an identity that has the name now. */
export interface AssignmentRequest extends Omit<RoleAssignment, 'principal'> {
  readonly principal: PrincipalName;
}

/** Whether something is allowed, and by what. */
export interface Verdict {
  readonly allowed: boolean;
  /** One sentence for a person. */
  readonly reason: string;
  /** The role and the assignment that allowed it; null when nothing did. */
  readonly role: string | null;
  readonly assignment: string | null;
}

const ROLE_NAME = /^[A-Za-z0-9](?:[.-]?[A-Za-z0-9])*$/;
const ROLE_NAME_MAX = 64;
const ASSIGNMENT_ID = /^[a-z0-9](?:-?[a-z0-9])*$/;
const ASSIGNMENT_ID_MAX = 64;
/** Printable ASCII without blanks: the object ids of Entra ID are UUIDs, those of other issuers anything else. */
const OPERATOR_ID = /^[\x21-\x7e]{1,128}$/;
/** Keeps a role within one property of a row: Table storage takes 32 Ki characters. */
const MOST_ITEMS = 64;

/**
 * The one decision: allowed when some assignment covers the scope and its role has an action that matches and, in
 * that same role, no notAction that does (the rule of Azure RBAC). What nothing allows is denied.
 * @param assignments those of the caller, and of nobody else
 * @param roles the roles that they name; an assignment of a role that is not among them allows nothing
 * @param action one action, without `*`
 * @throws EverleafError InvalidInput when the scope is none
 */
export function decideAccess(
  assignments: readonly RoleAssignment[],
  roles: readonly Role[],
  action: string,
  scope: string,
): Verdict {
  const wanted = parseScope(scope);
  const covering = assignments.filter((assignment) => coversScope(parseScope(assignment.scope), wanted));
  for (const assignment of covering) {
    const role = roles.find(({ name }) => isSameRoleName(name, assignment.roleName));
    if (role !== undefined && allowsAction(role, action)) {
      const reason = `The role ${role.name} at ${assignment.scope} allows ${action}.`;
      return { allowed: true, reason, role: role.name, assignment: assignment.id };
    }
  }
  return { allowed: false, reason: whyNot(covering, action, scope), role: null, assignment: null };
}

function whyNot(covering: readonly RoleAssignment[], action: string, scope: string): string {
  if (covering.length === 0) return `No role is assigned at ${scope} or above it.`;
  const names = [...new Set(covering.map(({ roleName }) => roleName))];
  return `No role assigned at ${scope} or above it allows ${action}: ${names.join(', ')}.`;
}

function allowsAction({ actions, notActions }: Role, action: string): boolean {
  const matches = (pattern: string) => matchesAction(pattern, action);
  return actions.some(matches) && !notActions.some(matches);
}

export function isSameRoleName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

export function isSamePrincipal(a: Principal, b: Principal): boolean {
  if (a.kind === 'operator') return b.kind === 'operator' && a.id === b.id;
  return b.kind === 'identity' && isSameIdentity(a, b) && a.incarnation === b.incarnation;
}

/** `<cluster>/<name>` of an identity, the object id of an operator. */
export function principalText(principal: PrincipalName): string {
  return principal.kind === 'operator' ? principal.id : identityText(principal);
}

export function identityPrincipal({
  cluster,
  name,
  incarnation,
}: IdentityId & { readonly incarnation: number }): Principal {
  return { kind: 'identity', cluster, name, incarnation };
}

/** Whether a role may be assigned in a scope. @throws EverleafError InvalidInput when the scope is none */
export function isAssignableAt(role: Role, scope: string): boolean {
  const wanted = parseScope(scope);
  return role.assignableScopes.some((assignable) => coversScope(parseScope(assignable), wanted));
}

/** @throws EverleafError InvalidInput for a name that no role can have */
export function checkRoleName(name: string): void {
  if (!ROLE_NAME.test(name) || name.length > ROLE_NAME_MAX) {
    throw invalidAt('/name', 'A role name has 1 to 64 letters, digits and single dots or hyphens inside.');
  }
}

/** @throws EverleafError InvalidInput, which points at what is wrong with a custom role */
export function checkRole(role: Role): void {
  checkRoleName(role.name);
  for (const list of ['actions', 'notActions', 'assignableScopes'] as const) {
    if (role[list].length > MOST_ITEMS)
      throw invalidAt(`/${list}`, `A role has at most ${MOST_ITEMS} ${list}.`);
  }
  if (role.assignableScopes.length === 0) {
    throw invalidAt('/assignableScopes', 'A role without assignable scopes could never be assigned.');
  }
  for (const list of ['actions', 'notActions'] as const) {
    for (const [i, pattern] of role[list].entries()) {
      if (isActionPattern(pattern)) continue;
      throw invalidAt(
        `/${list}/${i}`,
        'An action is <provider>/<operation> in lower case, each may be "*", and a provider of Everleaf has that operation.',
      );
    }
  }
  for (const [i, scope] of role.assignableScopes.entries()) checkScopeAt(`/assignableScopes/${i}`, scope);
}

/** @throws EverleafError InvalidInput for an id that no assignment can have */
export function checkAssignmentId(id: string): void {
  if (!ASSIGNMENT_ID.test(id) || id.length > ASSIGNMENT_ID_MAX) {
    throw invalidAt('/id', 'The id of an assignment has 1 to 64 of a-z, 0-9 and single hyphens inside.');
  }
}

/** @throws EverleafError InvalidInput, which points at what is wrong with an assignment by itself */
export function checkAssignment({ id, roleName, scope, principal }: AssignmentRequest): void {
  checkAssignmentId(id);
  checkRoleName(roleName);
  checkScopeAt('/scope', scope);
  if (principal.kind === 'identity') checkIdentityId(principal);
  else if (!OPERATOR_ID.test(principal.id)) {
    throw invalidAt(
      '/principal/id',
      "An operator's id has 1 to 128 printable ASCII characters and no blanks.",
    );
  }
}

function checkScopeAt(pointer: string, scope: string): void {
  try {
    parseScope(scope);
  } catch (error) {
    throw invalidAt(pointer, (error as Error).message);
  }
}

function invalidAt(pointer: string, message: string): EverleafError {
  return new EverleafError('InvalidInput', message, { details: { pointer } });
}
