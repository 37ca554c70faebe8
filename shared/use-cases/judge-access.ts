import {
  decideAccess,
  isSamePrincipal,
  type Principal,
  type Role,
  type RoleAssignment,
  type Verdict,
} from '../domain/access.ts';
import { BUILT_IN_ROLES, builtInRole } from '../domain/built-in-roles.ts';
import type { Deps } from './deps.ts';

/** Somebody whose rights are asked about. */
export interface Subject {
  readonly principal: Principal;
  /** What they may do without any record: by a token's roles, or by an identity's client type. */
  readonly implied: readonly RoleAssignment[];
}

/**
 * Whether somebody may do something somewhere: first by what they are, then by what the record assigns to them. Both go
 * through the same decision; an Owner by token gets in even when the record's rules cannot be read.
 * @throws EverleafError InvalidInput when the scope is none; whatever the access store throws
 */
export async function judgeAccess(
  deps: Pick<Deps, 'access'>,
  { principal, implied }: Subject,
  action: string,
  scope: string,
): Promise<Verdict> {
  const byNature = decideAccess(implied, BUILT_IN_ROLES, action, scope);
  if (byNature.allowed) return byNature;
  const assignments = [...implied, ...(await assignmentsTo(deps, principal))];
  return decideAccess(assignments, await rolesOf(deps, assignments), action, scope);
}

/** What the record assigns to somebody: nothing that an earlier identity of the same name had. */
export async function assignmentsTo(
  deps: Pick<Deps, 'access'>,
  principal: Principal,
): Promise<readonly RoleAssignment[]> {
  const assignments = await deps.access.assignmentsOf(principal);
  return assignments.filter((assignment) => isSamePrincipal(assignment.principal, principal));
}

/** A role by its name, the program's own or a custom one; null when there is none. */
export async function findRole(deps: Pick<Deps, 'access'>, name: string): Promise<Role | null> {
  return builtInRole(name) ?? (await deps.access.role(name))?.value ?? null;
}

async function rolesOf(
  deps: Pick<Deps, 'access'>,
  assignments: readonly RoleAssignment[],
): Promise<readonly Role[]> {
  const names = new Set(assignments.map(({ roleName }) => roleName.toLowerCase()));
  const roles = await Promise.all([...names].map((name) => findRole(deps, name)));
  return roles.filter((role) => role !== null);
}
