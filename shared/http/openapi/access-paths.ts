import { inPath, type Operation, type OperationFacts } from './operation.ts';
import { answered, cursor, forOperators, ifMatch, limit, type Paths } from './operator-parts.ts';
import { ref } from './schema.ts';

/** A list and, with PUT, one of its things by the name in the body. */
function named(what: string, list: string, thing: string, request: string): Record<string, Operation> {
  return {
    get: forOperators({
      id: `list${list}`,
      summary: `Every ${what}`,
      parameters: [limit, cursor],
      answers: answered('One page.', list),
      problems: [400],
    }),
    put: forOperators({
      id: `put${thing}`,
      summary: `Make or replace a ${what}, named in the body`,
      parameters: [ifMatch],
      body: ref(request),
      answers: written(thing),
      problems: [409, 412, 428],
    }),
  };
}

/** One named thing. */
function one(what: string, thing: string, request: string, parameter: Operation): Record<string, Operation> {
  const parameters = [parameter];
  return {
    get: forOperators({
      id: `get${thing}`,
      summary: `One ${what}`,
      parameters,
      answers: answered(`The ${what}.`, thing, 'etag'),
      problems: [400, 404],
    }),
    put: forOperators({
      id: `put${thing}ByName`,
      summary: `Make or replace a ${what}`,
      parameters: [parameter, ifMatch],
      body: ref(request),
      answers: written(thing),
      problems: [409, 412, 428],
    }),
    delete: forOperators({
      id: `delete${thing}`,
      summary: `Remove a ${what}`,
      parameters: [parameter, ifMatch],
      answers: { 204: { text: 'It is gone.' } },
      problems: [400, 404, 409, 412, 413, 428],
    }),
  };
}

function written(thing: string): OperationFacts['answers'] {
  const schema = ref(thing);
  return {
    200: { text: 'It was replaced.', schema, headers: ['etag'] },
    201: { text: 'It was made.', schema, headers: ['etag', 'location'] },
  };
}

/** Roles, assignments and revocations. */
export const accessPaths: Paths = {
  '/api/roles': named('role', 'Roles', 'Role', 'RoleRequest'),
  '/api/roles/{role}': one('role', 'Role', 'RoleRequest', inPath('role', 'Name of the role.')),
  '/api/role-assignments': named(
    'role assignment',
    'RoleAssignments',
    'RoleAssignment',
    'RoleAssignmentRequest',
  ),
  '/api/role-assignments/{id}': one(
    'role assignment',
    'RoleAssignment',
    'RoleAssignmentRequest',
    inPath('id', 'Id of the assignment.'),
  ),
  '/api/access-check': {
    post: forOperators({
      id: 'checkAccess',
      summary: 'May the owner of a certificate, or an identity, do that there, and why',
      body: ref('AccessCheckRequest'),
      answers: answered('The verdict.', 'AccessCheck'),
    }),
  },
  '/api/revocations': {
    get: forOperators({
      id: 'listRevocationRules',
      summary: 'Every revocation rule',
      answers: answered('The rules.', 'RevocationRules'),
    }),
    post: forOperators({
      id: 'createRevocationRule',
      summary: 'Revoke by client type, cluster, DNS name or moment of issue',
      body: ref('RevocationRuleRequest'),
      answers: { 201: { text: 'In force.', schema: ref('RevocationRule'), headers: ['location'] } },
      problems: [409],
    }),
  },
  '/api/revocations/{id}': {
    delete: forOperators({
      id: 'deleteRevocationRule',
      summary: 'Take a rule back',
      parameters: [inPath('id', 'Id of the rule.')],
      answers: { 204: { text: 'It is gone.' } },
      problems: [400, 404, 413],
    }),
  },
};
