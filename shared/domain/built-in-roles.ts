import {
  identityPrincipal,
  isSameRoleName,
  type Principal,
  type Role,
  type RoleAssignment,
} from './access.ts';
import type { ClientType, Identity } from './identity.ts';
import { FLEET_SCOPE } from './scope.ts';

const role = (name: string, actions: readonly string[], notActions: readonly string[] = []): Role => ({
  name,
  actions,
  notActions,
  assignableScopes: [FLEET_SCOPE],
  builtIn: true,
});

/** Everything, as the cloud agent's and Azure's role of this name. */
const OWNER = role('Owner', ['*']);

/** Sees everything and changes nothing; no secret is behind a `read`. Asking about others' rights is seeing as well. */
const READER = role('Reader', ['*/read', 'access/check']);

/** Asks whether a certificate's owner may do something: what a program that guards something must know. */
const VERIFIER = role('Verifier', ['access/check']);

/**
 * The cloud agent's built-in roles that apply to what Everleaf keeps (its others are about machines, networks and disks),
 * and Verifier.
 * Nobody changes them, and no custom role takes one of their names.
 */
export const BUILT_IN_ROLES: readonly Role[] = [
  OWNER,
  // Everything but to give rights away, to others or, by way of an Admin identity, to itself.
  role(
    'Contributor',
    ['*'],
    ['role/write', 'role/delete', 'roleassignment/write', 'roleassignment/delete', 'admin/issue'],
  ),
  READER,
  role('IdentityContributor', ['identity/*']),
  role('IdentityReader', ['identity/read']),
  role('CertificateContributor', ['certificate/*']),
  role('CertificateReader', ['certificate/read']),
  // "Run sign and renew operations on certificates", says the cloud agent of it.
  role('CertificateSigner', ['certificate/sign', 'certificate/renew']),
  // A node here is an identity with its kubelet credentials: this role brings nodes in and back, and revokes nobody.
  // Assign it at a cluster, or at one node's identity.
  role('NodeContributor', [
    'cluster/read',
    'identity/read',
    'identity/write',
    'identity/rotate',
    'identity/unlock',
    'operation/read',
  ]),
  role('RoleContributor', ['role/*', 'roleassignment/*', 'access/check']),
  role('HealthReader', ['status/read', 'plan/read']),
  VERIFIER,
];

/** The built-in role of a name, ignoring case. */
export function builtInRole(name: string): Role | null {
  return BUILT_IN_ROLES.find((known) => isSameRoleName(known.name, name)) ?? null;
}

/** The roles of the app registration that operators' tokens carry, and what each stands for in the whole fleet. */
const APP_ROLES: Readonly<Record<string, Role>> = {
  'Everleaf.Operator': OWNER,
  'Everleaf.Reader': READER,
};

/** What an operator may do by the `roles` of the token alone. Roles that are not Everleaf's give nothing. */
export function appRoleAssignments(id: string, appRoles: readonly string[]): readonly RoleAssignment[] {
  return appRoles.flatMap((appRole) => {
    const given = Object.hasOwn(APP_ROLES, appRole) ? APP_ROLES[appRole] : undefined;
    return given === undefined ? [] : [implied(`app-role:${appRole}`, given, { kind: 'operator', id })];
  });
}

/**
 * What client types are worth by themselves in the whole fleet: Admin is the cloud agent's mocctl, with ultimate access;
 * Host is the cloud agent itself, which checks the others' certificates.
 */
const CLIENT_TYPE_ROLES: Readonly<Partial<Record<ClientType, Role>>> = { Admin: OWNER, Host: VERIFIER };

/** Whether an identity is worth more than itself by its client type alone. */
export function isPrivileged(clientType: ClientType): boolean {
  return CLIENT_TYPE_ROLES[clientType] !== undefined;
}

/** What an identity may do by its client type alone. */
export function clientTypeAssignments(
  identity: Pick<Identity, 'cluster' | 'name' | 'incarnation' | 'clientType'>,
): readonly RoleAssignment[] {
  const { clientType } = identity;
  const given = CLIENT_TYPE_ROLES[clientType];
  return given === undefined
    ? []
    : [implied(`client-type:${clientType}`, given, identityPrincipal(identity))];
}

/** An assignment that stands in no record. The colon in its id keeps it apart from those that do. */
function implied(id: string, { name }: Role, principal: Principal): RoleAssignment {
  return { id, roleName: name, scope: FLEET_SCOPE, principal };
}
