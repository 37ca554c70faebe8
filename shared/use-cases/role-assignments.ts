import {
  type AssignmentRequest,
  checkAssignment,
  identityPrincipal,
  isAssignableAt,
  isSamePrincipal,
  isSameRoleName,
  type Principal,
  type PrincipalName,
  principalText,
  type RoleAssignment,
} from '../domain/access.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Stored } from '../ports/identity-store.ts';
import { changeAccess } from './change-access.ts';
import type { Deps, Run } from './deps.ts';
import { assertIfMatch, type IfMatch } from './if-match.ts';
import { findRole } from './judge-access.ts';

type Access = Pick<Deps, 'access' | 'clock' | 'random' | 'identities'>;

/** Every assignment, by id. */
export function listAssignments(deps: Pick<Deps, 'access'>): Promise<readonly RoleAssignment[]> {
  return deps.access.assignments();
}

/** @throws EverleafError NotFound */
export async function readAssignment(
  deps: Pick<Deps, 'access'>,
  id: string,
): Promise<Stored<RoleAssignment>> {
  const stored = await deps.access.assignment(id);
  if (stored === null) throw new EverleafError('NotFound', 'There is no role assignment of this id.');
  return stored;
}

/**
 * Gives a role to somebody, or replaces the assignment of this id. The names of role and identity are kept as they were
 * made, whatever the case they come in; an identity that is made again later has nothing of the assignment.
 * @returns the assignment as it stands, and whether it is new
 * @throws EverleafError InvalidInput, also when there is no such role or identity, or the role cannot be assigned there;
 *   PreconditionRequired and PreconditionFailed as `assertIfMatch`
 */
export async function putAssignment(
  deps: Access,
  run: Run,
  assignment: AssignmentRequest,
  ifMatch: IfMatch,
): Promise<Stored<RoleAssignment> & { readonly isNew: boolean }> {
  checkAssignment(assignment);
  const principal = await existingPrincipal(deps, assignment.principal);
  let isNew = false;
  await changeAccess(deps, run, async () => {
    const stored = await deps.access.assignment(assignment.id);
    assertIfMatch(ifMatch, stored, 'this role assignment');
    isNew = stored === null;
    const role = await findRole(deps, assignment.roleName);
    if (role === null) throw invalidAt('/roleName', 'There is no role of this name.');
    if (!isAssignableAt(role, assignment.scope)) {
      throw invalidAt('/scope', `The role is assignable in ${role.assignableScopes.join(', ')} alone.`);
    }
    const value = { ...assignment, roleName: role.name, principal };
    return {
      change: { op: 'put', kind: 'assignment', value, previous: stored?.value ?? null },
      events: [
        ...(stored === null || isSameRight(stored.value, value)
          ? []
          : [{ type: 'role-unassigned' as const, details: detailsOf(stored.value) }]),
        { type: 'role-assigned', details: detailsOf(value) },
      ],
    };
  });
  return { ...(await readAssignment(deps, assignment.id)), isNew };
}

/** @throws EverleafError NotFound; PreconditionRequired and PreconditionFailed as `assertIfMatch` */
export async function deleteAssignment(deps: Access, run: Run, id: string, ifMatch: IfMatch): Promise<void> {
  await changeAccess(deps, run, async () => {
    const stored = await readAssignment(deps, id);
    assertIfMatch(ifMatch, stored, 'this role assignment');
    return {
      change: { op: 'remove', kind: 'assignment', value: stored.value },
      events: [{ type: 'role-unassigned', details: detailsOf(stored.value) }],
    };
  });
}

/** Whether nobody loses anything when the one replaces the other. */
function isSameRight(a: RoleAssignment, b: RoleAssignment): boolean {
  return (
    isSameRoleName(a.roleName, b.roleName) && a.scope === b.scope && isSamePrincipal(a.principal, b.principal)
  );
}

function detailsOf({ roleName, scope, principal }: RoleAssignment) {
  return { roleName, scope, principalKind: principal.kind, principal: principalText(principal) };
}

/** An identity must be there, or a mistyped name would wait for whoever gets it later. Operators live elsewhere. */
async function existingPrincipal(
  deps: Pick<Deps, 'identities'>,
  principal: PrincipalName,
): Promise<Principal> {
  if (principal.kind === 'operator') return principal;
  const stored = await deps.identities.identity(principal);
  if (stored === null || stored.value.deletedAt !== null)
    throw invalidAt('/principal', 'There is no such identity.');
  if ((principal.incarnation ?? stored.value.incarnation) !== stored.value.incarnation) {
    throw invalidAt(
      '/principal/incarnation',
      `The identity was made again: it is incarnation ${stored.value.incarnation} now.`,
    );
  }
  return identityPrincipal(stored.value);
}

function invalidAt(pointer: string, message: string): EverleafError {
  return new EverleafError('InvalidInput', message, { details: { pointer } });
}
