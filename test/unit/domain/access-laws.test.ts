import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decideAccess, type Role, type RoleAssignment } from '../../../shared/domain/access.ts';
import { BUILT_IN_ROLES } from '../../../shared/domain/built-in-roles.ts';
import { coversScope, parseScope } from '../../../shared/domain/scope.ts';

const word = (...words: string[]) => fc.constantFrom(...words);
const action = fc
  .tuple(word('identity', 'cluster', 'role', 'disk'), word('read', 'write', 'delete'))
  .map((parts) => parts.join('/'));
const pattern = fc.oneof(
  fc.constant('*'),
  action,
  fc
    .tuple(word('*', 'identity', 'cluster', 'role'), word('*', 'read', 'write'))
    .map((parts) => parts.join('/')),
);
const scope = fc.oneof(
  fc.constant('/'),
  word('a', 'b').map((cluster) => `/clusters/${cluster}`),
  fc
    .tuple(word('a', 'b'), word('x', 'X', 'y'))
    .map(([cluster, name]) => `/clusters/${cluster}/identities/${name}`),
);
const roleName = word('R1', 'R2', 'Reader', 'Contributor');
const role = (name: string): fc.Arbitrary<Role> =>
  fc.record({
    name: fc.constant(name),
    actions: fc.array(pattern, { maxLength: 3 }),
    notActions: fc.array(pattern, { maxLength: 2 }),
    assignableScopes: fc.constant(['/']),
    builtIn: fc.constant(false),
  });
const roles = fc.tuple(role('R1'), role('R2')).map((custom) => [...BUILT_IN_ROLES, ...custom]);
const assignment: fc.Arbitrary<RoleAssignment> = fc.record({
  id: word('one', 'two', 'three'),
  roleName,
  scope,
  principal: fc.constant({ kind: 'operator', id: 'somebody' } as const),
});
const world = fc.record({ roles, assignments: fc.array(assignment, { maxLength: 4 }), action, scope });
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const allows = ({ assignments, roles: known, action: wanted, scope: at }: World) =>
  decideAccess(assignments, known, wanted, at).allowed;

function law(claim: (found: World, other: World) => void): void {
  fc.assert(fc.property(world, world, claim), { numRuns: 1000 });
}

describe('the laws of access rules', () => {
  it('deny everybody who has no assignment', () => {
    law((found) => assert.equal(allows({ ...found, assignments: [] }), false));
  });

  it('give no more to an assignment whose scope is narrowed', () => {
    law((found, { scope: narrow }) => {
      const narrowed = found.assignments.map((one) =>
        coversScope(parseScope(one.scope), parseScope(narrow)) ? { ...one, scope: narrow } : one,
      );
      if (allows({ ...found, assignments: narrowed })) assert.ok(allows(found));
    });
  });

  it('allow below what they allow above', () => {
    law((found, { scope: below }) => {
      if (!coversScope(parseScope(found.scope), parseScope(below)) || !allows(found)) return;
      assert.ok(allows({ ...found, scope: below }));
    });
  });

  it('only ever take away by a notAction', () => {
    law((found, { roles: others }) => {
      const more = found.roles.map((one, i) => ({
        ...one,
        notActions: [...one.notActions, ...(others[i]?.notActions ?? [])],
      }));
      if (allows({ ...found, roles: more })) assert.ok(allows(found));
    });
  });

  it('never take away by a further assignment or a further action', () => {
    law((found, other) => {
      if (!allows(found)) return;
      assert.ok(allows({ ...found, assignments: [...other.assignments, ...found.assignments] }));
      const more = found.roles.map((one, i) => ({
        ...one,
        actions: [...one.actions, ...(other.roles[i]?.actions ?? [])],
      }));
      assert.ok(allows({ ...found, roles: more }));
    });
  });

  it('name an assignment and a role that alone allow the same', () => {
    law((found) => {
      const verdict = decideAccess(found.assignments, found.roles, found.action, found.scope);
      const named = found.assignments.filter(
        ({ id, roleName: name }) => id === verdict.assignment && name === verdict.role,
      );
      assert.equal(named.length > 0, verdict.allowed);
      if (verdict.allowed) assert.ok(allows({ ...found, assignments: named }));
    });
  });
});
