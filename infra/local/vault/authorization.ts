import type { RoleAssignment, RoleDefinitions } from './config.ts';
import { VaultError } from './errors.ts';

/** Who may do what; decided by role assignments only, as in a vault with enableRbacAuthorization. */
export interface Authorizer {
  /**
   * Lets the call through or refuses it.
   * @param action a data action without the leading `Microsoft.KeyVault/vaults/`
   * @param resource the object's path inside the vault, for example `/secrets/rotation-key`, or `/secrets` for a list
   * @throws VaultError 403 ForbiddenByRbac
   */
  check(principal: string, vault: string, action: string, resource: string): void;
}

const PREFIX = 'Microsoft.KeyVault/vaults/';

/** @throws Error when an assignment names a role that the definitions do not have. */
export function roleAuthorizer(
  definitions: RoleDefinitions,
  assignments: readonly RoleAssignment[],
): Authorizer {
  for (const { role } of assignments) {
    if (role !== '*' && definitions.roles[role] === undefined) {
      throw new Error(
        `Cannot assign the role "${role}": it is not one of ${Object.keys(definitions.roles).join(', ')}.`,
      );
    }
  }
  const gives = (assignment: RoleAssignment, action: string) =>
    assignment.role === '*' ||
    definitions.roles[assignment.role]?.dataActions.includes(PREFIX + action) === true;

  return {
    check(principal, vault, action, resource) {
      const isAllowed = assignments.some(
        (assignment) =>
          assignment.principalId === principal &&
          (assignment.vault === '*' || assignment.vault === vault) &&
          covers(assignment.scope, resource) &&
          gives(assignment, action),
      );
      if (isAllowed) return;
      throw new VaultError(
        403,
        'Forbidden',
        'Caller is not authorized to perform action on resource.\r\n' +
          'If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n' +
          `Caller: oid=${principal}\r\nAction: '${PREFIX}${action}'\r\nResource: '${vault}${resource}'\r\n` +
          'Assignment: (not found)',
        { innerCode: 'ForbiddenByRbac' },
      );
    },
  };
}

function covers(scope: string, resource: string): boolean {
  return scope === '/' || scope.toLowerCase() === resource.toLowerCase();
}
