import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRole, decideAccess } from '../../../shared/domain/access.ts';
import {
  appRoleAssignments,
  BUILT_IN_ROLES,
  builtInRole,
  clientTypeAssignments,
} from '../../../shared/domain/built-in-roles.ts';

/** Whether a role at `/` allows an action. */
function allows(roleName: string, action: string): boolean {
  const principal = { kind: 'operator', id: 'somebody' } as const;
  return decideAccess([{ id: 'one', roleName, scope: '/', principal }], BUILT_IN_ROLES, action, '/').allowed;
}

test('Every built-in role would pass as a custom one, and is found by its name in any case', () => {
  for (const role of BUILT_IN_ROLES) {
    checkRole(role);
    assert.equal(role.builtIn, true);
    assert.equal(builtInRole(role.name.toUpperCase()), role);
  }
  assert.equal(new Set(BUILT_IN_ROLES.map(({ name }) => name.toLowerCase())).size, BUILT_IN_ROLES.length);
  assert.equal(builtInRole('Nobody'), null);
});

for (const [name, allowed, denied] of [
  ['Owner', ['role/write', 'roleassignment/delete', 'admin/issue', 'disk/format'], []],
  [
    'Contributor',
    ['cluster/delete', 'identity/rotate', 'operation/login-files', 'role/read', 'authority/write'],
    ['role/write', 'role/delete', 'roleassignment/write', 'roleassignment/delete', 'admin/issue'],
  ],
  [
    'Reader',
    ['status/read', 'plan/read', 'event/read', 'role/read', 'access/check'],
    ['identity/rotate', 'operation/login-files', 'admin/issue'],
  ],
  ['IdentityContributor', ['identity/write', 'identity/revoke'], ['cluster/read', 'admin/issue']],
  ['IdentityReader', ['identity/read'], ['identity/write']],
  ['CertificateContributor', ['certificate/sign', 'certificate/read'], ['identity/read']],
  ['CertificateReader', ['certificate/read'], ['certificate/renew']],
  ['CertificateSigner', ['certificate/sign', 'certificate/renew'], ['certificate/read']],
  [
    'NodeContributor',
    ['identity/rotate', 'identity/unlock'],
    ['identity/revoke', 'cluster/renew', 'admin/issue'],
  ],
  [
    'RoleContributor',
    ['role/write', 'roleassignment/delete', 'access/check'],
    ['identity/read', 'status/read'],
  ],
  ['Verifier', ['access/check'], ['status/read', 'role/read']],
  ['HealthReader', ['status/read', 'plan/read'], ['event/read', 'identity/read']],
] as const) {
  test(`${name} allows what its name says and nothing beyond`, () => {
    for (const action of allowed) assert.equal(allows(name, action), true, action);
    for (const action of denied) assert.equal(allows(name, action), false, action);
  });
}

test('The roles of an operator’s token stand for Owner and Reader in the whole fleet, others for nothing', () => {
  const given = appRoleAssignments('somebody', [
    'Everleaf.Operator',
    'constructor',
    'Owner',
    'Everleaf.Reader',
  ]);
  assert.deepEqual(
    given.map(({ id, roleName, scope, principal }) => [id, roleName, scope, principal]),
    [
      ['app-role:Everleaf.Operator', 'Owner', '/', { kind: 'operator', id: 'somebody' }],
      ['app-role:Everleaf.Reader', 'Reader', '/', { kind: 'operator', id: 'somebody' }],
    ],
  );
});

test('An Admin identity has ultimate access, a Host may check others, every other client type is worth nothing by itself', () => {
  const identity = { cluster: 'management', name: 'Mocctl', incarnation: 1 };
  const [ultimate] = clientTypeAssignments({ ...identity, clientType: 'Admin' });
  assert.deepEqual(ultimate, {
    id: 'client-type:Admin',
    roleName: 'Owner',
    scope: '/',
    principal: { kind: 'identity', ...identity },
  });
  const [checks, ...more] = clientTypeAssignments({ ...identity, clientType: 'Host' });
  assert.equal(checks?.roleName, 'Verifier');
  assert.deepEqual(more, []);
  for (const clientType of ['BareMetal', 'ControlPlane', 'ExternalClient', 'LoadBalancer', 'Node'] as const) {
    assert.deepEqual(clientTypeAssignments({ ...identity, clientType }), []);
  }
});
