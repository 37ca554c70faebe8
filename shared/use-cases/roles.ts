import { checkRole, isAssignableAt, isSameRoleName, type Role } from '../domain/access.ts';
import { BUILT_IN_ROLES, builtInRole } from '../domain/built-in-roles.ts';
import { EverleafError } from '../domain/errors.ts';
import type { Stored } from '../ports/identity-store.ts';
import { changeAccess } from './change-access.ts';
import type { Deps, Run } from './deps.ts';
import { assertIfMatch, type IfMatch } from './if-match.ts';

type Access = Pick<Deps, 'access' | 'clock' | 'random'>;

/** A role as it is read: a built-in one never changes, so its etag is always the same. */
const BUILT_IN_ETAG = 'built-in';

/** Every role: the program's own first, then the custom ones by name. */
export async function listRoles(deps: Pick<Deps, 'access'>): Promise<readonly Role[]> {
  return [...BUILT_IN_ROLES, ...(await deps.access.roles())];
}

/** @throws EverleafError NotFound */
export async function readRole(deps: Pick<Deps, 'access'>, name: string): Promise<Stored<Role>> {
  const own = builtInRole(name);
  const stored = own === null ? await deps.access.role(name) : { value: own, etag: BUILT_IN_ETAG };
  if (stored === null) throw new EverleafError('NotFound', 'There is no role of this name.');
  return stored;
}

/**
 * Makes a custom role, or replaces the one of this name.
 * @returns the role as it stands, and whether it is new
 * @throws EverleafError InvalidInput; PreconditionRequired and PreconditionFailed as `assertIfMatch`; InUse when an
 *   assignment would lie outside the new assignable scopes
 */
export async function putRole(
  deps: Access,
  run: Run,
  role: Role,
  ifMatch: IfMatch,
): Promise<Stored<Role> & { readonly isNew: boolean }> {
  checkRole(role);
  assertCustom(role.name);
  let isNew = false;
  await changeAccess(deps, run, async () => {
    const stored = await deps.access.role(role.name);
    assertIfMatch(ifMatch, stored, 'this role');
    isNew = stored === null;
    const stray = (await assignmentsOfRole(deps, role.name)).find(
      ({ scope }) => !isAssignableAt(role, scope),
    );
    if (stray !== undefined) {
      throw new EverleafError(
        'InUse',
        `The assignment ${stray.id} at ${stray.scope} would lie outside the assignable scopes. Remove it first.`,
      );
    }
    // One role has one spelling, the first: assignments and events name it.
    const value = { ...role, name: stored?.value.name ?? role.name };
    return {
      change: { op: 'put', kind: 'role', value },
      events: [
        {
          type: 'role-written',
          details: {
            actions: value.actions.join(' '),
            notActions: value.notActions.join(' '),
            assignableScopes: value.assignableScopes.join(' '),
          },
        },
      ],
    };
  });
  return { ...(await readRole(deps, role.name)), isNew };
}

/**
 * @throws EverleafError NotFound; InvalidInput for a built-in role; PreconditionRequired and PreconditionFailed as
 *   `assertIfMatch`; InUse while it is assigned
 */
export async function deleteRole(deps: Access, run: Run, name: string, ifMatch: IfMatch): Promise<void> {
  assertCustom(name);
  await changeAccess(deps, run, async () => {
    const stored = await readRole(deps, name);
    assertIfMatch(ifMatch, stored, 'this role');
    const [assignment, ...more] = await assignmentsOfRole(deps, name);
    if (assignment !== undefined) {
      throw new EverleafError(
        'InUse',
        `The role is assigned by ${assignment.id}${more.length === 0 ? '' : ` and ${more.length} more`}. Remove that first.`,
      );
    }
    return {
      change: { op: 'remove', kind: 'role', value: stored.value },
      events: [{ type: 'role-deleted', details: {} }],
    };
  });
}

async function assignmentsOfRole(deps: Pick<Deps, 'access'>, name: string) {
  return (await deps.access.assignments()).filter(({ roleName }) => isSameRoleName(roleName, name));
}

function assertCustom(name: string): void {
  if (builtInRole(name) === null) return;
  throw new EverleafError(
    'InvalidInput',
    'This is the name of a built-in role, which nobody changes. Choose another one.',
    { details: { pointer: '/name' } },
  );
}
