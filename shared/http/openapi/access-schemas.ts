import { REVOCATION_REASONS } from '../../domain/revocation.ts';
import { clientType, id } from './agent-schemas.ts';
import {
  count,
  flag,
  hex,
  instant,
  list,
  object,
  oneOf,
  orNull,
  page,
  ref,
  type Schema,
  text,
} from './schema.ts';

export const revocationReason: Schema = oneOf(...REVOCATION_REASONS);

/** Roles, assignments and revocations. */
export const accessSchemas: Readonly<Record<string, Schema>> = {
  Role: object({
    name: text,
    actions: list(text),
    notActions: list(text),
    assignableScopes: list(text),
    builtIn: flag,
  }),
  RoleRequest: object({
    'name?': text,
    actions: list(text),
    'notActions?': list(text),
    assignableScopes: list(text),
  }),
  Roles: page('items', ref('Role')),
  RoleAssignment: object({ id: text, roleName: text, scope: text, principal: ref('Principal') }),
  RoleAssignmentRequest: object({
    'id?': text,
    roleName: text,
    scope: text,
    principal: ref('PrincipalName'),
  }),
  RoleAssignments: page('items', ref('RoleAssignment')),
  Principal: {
    anyOf: [
      object({ kind: { const: 'identity' }, ...id, incarnation: count }),
      object({ kind: { const: 'operator' }, id: text }),
    ],
  },
  PrincipalName: {
    anyOf: [
      object({ kind: { const: 'identity' }, ...id, 'incarnation?': count }),
      object({ kind: { const: 'operator' }, id: text }),
    ],
  },
  AccessCheckRequest: object({
    'certificate?': text,
    'identity?': object(id),
    action: text,
    scope: text,
  }),
  AccessCheck: object({
    allowed: flag,
    reason: text,
    role: orNull(text),
    assignment: orNull(text),
    identity: orNull(object(id)),
    serialNumber: orNull(hex),
  }),
  RevokeRequest: object({
    'reason?': revocationReason,
    'instance?': hex,
    'serialNumber?': hex,
    'invalidityDate?': instant,
  }),
  Revocation: object({
    ...id,
    instance: orNull(text),
    serialNumber: orNull(hex),
    revokedAt: instant,
    reason: revocationReason,
  }),
  RevocationRuleRequest: object({
    'clientType?': clientType,
    'cluster?': text,
    'dnsName?': text,
    'issuedBefore?': instant,
    'reason?': revocationReason,
  }),
  RevocationRule: object({
    id: text,
    clientType: orNull(clientType),
    cluster: orNull(text),
    dnsName: orNull(text),
    issuedBefore: orNull(instant),
    reason: revocationReason,
    createdAt: instant,
    createdBy: orNull(text),
  }),
  RevocationRules: object({ items: list(ref('RevocationRule')) }),
};
