import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkAssignment,
  checkRole,
  decideAccess,
  identityPrincipal,
  isAssignableAt,
  isSamePrincipal,
  principalText,
  type Role,
  type RoleAssignment,
} from '../../../shared/domain/access.ts';
import { isAction, isActionPattern, matchesAction } from '../../../shared/domain/actions.ts';

const role = (changes: Partial<Role> = {}): Role => ({
  name: 'Helper',
  actions: ['identity/*'],
  notActions: ['identity/revoke'],
  assignableScopes: ['/'],
  builtIn: false,
  ...changes,
});

const assigned = (changes: Partial<RoleAssignment> = {}): RoleAssignment => ({
  id: 'one',
  roleName: 'Helper',
  scope: '/clusters/alpha',
  principal: { kind: 'operator', id: 'somebody' },
  ...changes,
});

test('A role allows what its actions match and its notActions do not, within the assignment’s scope', () => {
  const decide = (action: string, scope: string) =>
    decideAccess([assigned()], [role()], action, scope).allowed;
  assert.equal(decide('identity/rotate', '/clusters/alpha'), true);
  assert.equal(decide('identity/rotate', '/clusters/alpha/identities/KMS'), true);
  assert.equal(decide('identity/revoke', '/clusters/alpha'), false);
  assert.equal(decide('cluster/read', '/clusters/alpha'), false);
  assert.equal(decide('identity/rotate', '/clusters/beta'), false);
  assert.equal(decide('identity/rotate', '/'), false);
});

test('The verdict names the role and the assignment that allowed', () => {
  const roles = [role(), role({ name: 'Seer', actions: ['*/read'], notActions: [] })];
  const assignments = [assigned(), assigned({ id: 'two', roleName: 'seer', scope: '/' })];
  assert.deepEqual(decideAccess(assignments, roles, 'cluster/read', '/clusters/alpha'), {
    allowed: true,
    reason: 'The role Seer at / allows cluster/read.',
    role: 'Seer',
    assignment: 'two',
  });
});

test('What nothing allows is denied, and the verdict says why', () => {
  const verdict = (assignments: readonly RoleAssignment[], roles: readonly Role[]) =>
    decideAccess(assignments, roles, 'identity/revoke', '/clusters/alpha');
  assert.deepEqual(verdict([], [role()]), {
    allowed: false,
    reason: 'No role is assigned at /clusters/alpha or above it.',
    role: null,
    assignment: null,
  });
  const twice = [assigned(), assigned({ id: 'two' }), assigned({ id: 'three', scope: '/clusters/beta' })];
  assert.equal(
    verdict(twice, [role()]).reason,
    'No role assigned at /clusters/alpha or above it allows identity/revoke: Helper.',
  );
});

test('An assignment of a role that is not there allows nothing', () => {
  assert.equal(decideAccess([assigned()], [], 'identity/read', '/clusters/alpha').allowed, false);
});

test('A notAction of one role does not take away what another role allows', () => {
  const roles = [role(), role({ name: 'Revoker', actions: ['identity/revoke'], notActions: [] })];
  const assignments = [assigned(), assigned({ id: 'two', roleName: 'Revoker' })];
  const verdict = decideAccess(assignments, roles, 'identity/revoke', '/clusters/alpha');
  assert.equal(verdict.role, 'Revoker');
});

test('A question about no scope is refused', () => {
  assert.throws(() => decideAccess([], [], 'identity/read', '/clusters/alpha/'), { code: 'InvalidInput' });
});

test('A pattern matches by provider, by operation, by both, or everything', () => {
  for (const [pattern, action, expected] of [
    ['*', 'identity/read', true],
    ['*/*', 'identity/read', true],
    ['*/read', 'identity/read', true],
    ['*/read', 'identity/rotate', false],
    ['identity/*', 'identity/rotate', true],
    ['identity/*', 'identitycertificate/renew', false],
    ['identity/read', 'identity/read', true],
    ['identity/read', 'identity/readall', false],
    ['identity/read', 'role/read', false],
  ] as const) {
    assert.equal(matchesAction(pattern, action), expected, `${pattern} matches ${action}`);
  }
});

test('Actions are two words; a provider of ours has its own operations alone, others have any', () => {
  for (const text of ['identity/rotate', 'operation/login-files', 'virtualmachine/start']) {
    assert.equal(isAction(text), true, text);
    assert.equal(isActionPattern(text), true, text);
  }
  for (const text of ['*', '*/*', '*/read', 'identity/*', 'virtualmachine/*', '*/start']) {
    assert.equal(isAction(text), false, text);
    assert.equal(isActionPattern(text), true, text);
  }
  for (const text of [
    '',
    'identity',
    'identity/',
    '/read',
    'identity/raed',
    'Identity/read',
    'identity/read/all',
    'identity/re*',
    '**',
    'identity /read',
    'constructor/',
    `identity/${'a'.repeat(33)}`,
  ]) {
    assert.equal(isAction(text), false, text);
    assert.equal(isActionPattern(text), false, text);
  }
});

test('A custom role that could be meant is taken', () => {
  checkRole(role());
  checkRole(
    role({ name: 'NightShift-2.0b', actions: [], notActions: [], assignableScopes: ['/clusters/a'] }),
  );
});

for (const [title, changes, pointer] of [
  ['without a name', { name: '' }, '/name'],
  ['with a name that needs escaping', { name: 'a/b' }, '/name'],
  ['with a name that is too long', { name: 'a'.repeat(65) }, '/name'],
  ['with a mistyped action', { actions: ['identity/read', 'identity/raed'] }, '/actions/1'],
  ['with a mistyped notAction', { notActions: ['identity/Revoke'] }, '/notActions/0'],
  ['with more actions than a row takes', { actions: Array<string>(65).fill('*') }, '/actions'],
  ['that could be assigned nowhere', { assignableScopes: [] }, '/assignableScopes'],
  ['with a scope that is none', { assignableScopes: ['/', '/x'] }, '/assignableScopes/1'],
] as const) {
  test(`A custom role ${title} is refused, and the error points at it`, () => {
    assert.throws(() => checkRole(role(changes)), { code: 'InvalidInput', details: { pointer } });
  });
}

test('An assignment to an operator or to an identity is taken', () => {
  checkAssignment(assigned());
  checkAssignment(
    assigned({ principal: { kind: 'identity', cluster: 'alpha', name: 'KMS', incarnation: 1 }, scope: '/' }),
  );
});

for (const [title, changes] of [
  ['whose id is none', { id: 'One Two' }],
  ['whose id looks like one of the program’s own', { id: 'client-type:admin' }],
  ['whose role has no name', { roleName: '' }],
  ['whose scope is none', { scope: 'everywhere' }],
  ['to an operator without an id', { principal: { kind: 'operator', id: '' } }],
  [
    'to an identity with an odd name',
    { principal: { kind: 'identity', cluster: 'alpha', name: 'a|b', incarnation: 1 } },
  ],
] as const) {
  test(`An assignment ${title} is refused`, () => {
    assert.throws(() => checkAssignment(assigned(changes)), { code: 'InvalidInput' });
  });
}

test('A role is assigned within its assignable scopes alone', () => {
  const narrow = role({ assignableScopes: ['/clusters/alpha', '/clusters/beta/identities/KMS'] });
  assert.equal(isAssignableAt(narrow, '/clusters/alpha/identities/KMS'), true);
  assert.equal(isAssignableAt(narrow, '/clusters/beta/identities/kms'), true);
  assert.equal(isAssignableAt(narrow, '/clusters/beta'), false);
  assert.equal(isAssignableAt(narrow, '/'), false);
});

test('Principals are the same by kind and name, an identity’s whatever its case and in one incarnation', () => {
  const operator = { kind: 'operator', id: 'alpha/KMS' } as const;
  const identity = identityPrincipal({ cluster: 'alpha', name: 'KMS', incarnation: 1 });
  assert.equal(
    isSamePrincipal(identity, identityPrincipal({ cluster: 'alpha', name: 'kms', incarnation: 1 })),
    true,
  );
  assert.equal(
    isSamePrincipal(identity, identityPrincipal({ cluster: 'alpha', name: 'KMS', incarnation: 2 })),
    false,
  );
  assert.equal(
    isSamePrincipal(identity, identityPrincipal({ cluster: 'beta', name: 'KMS', incarnation: 1 })),
    false,
  );
  assert.equal(isSamePrincipal(operator, { ...operator }), true);
  assert.equal(isSamePrincipal(operator, { ...operator, id: 'alpha/kms' }), false);
  assert.equal(isSamePrincipal(operator, identity), false);
  assert.equal(isSamePrincipal(identity, operator), false);
  assert.equal(principalText(operator), principalText(identity));
});
