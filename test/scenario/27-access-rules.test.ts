import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AssignmentRequest, Role } from '../../shared/domain/access.ts';
import { BUILT_IN_ROLES } from '../../shared/domain/built-in-roles.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { encodePem } from '../../shared/pki/pem.ts';
import { type AccessQuestion, checkAccess } from '../../shared/use-cases/check-access.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { judgeAccess } from '../../shared/use-cases/judge-access.ts';
import {
  deleteAssignment,
  listAssignments,
  putAssignment,
  readAssignment,
} from '../../shared/use-cases/role-assignments.ts';
import { deleteRole, listRoles, putRole, readRole } from '../../shared/use-cases/roles.ts';
import { updateIdentity } from '../../shared/use-cases/update-identity.ts';
import { KMS, logIn, management, NODE_AGENT, requestOf, tokenFromLoginFile } from '../support/agent.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { makeAuthority } from '../unit/pki/support/authority.ts';

const HELPER: Role = {
  name: 'Helper',
  actions: ['identity/*'],
  notActions: ['identity/revoke'],
  assignableScopes: ['/clusters/management'],
  builtIn: false,
};

const assigned = (changes: Partial<AssignmentRequest> = {}): AssignmentRequest => ({
  id: 'one',
  roleName: 'Helper',
  scope: '/clusters/management',
  principal: { kind: 'operator', id: 'anna' },
  ...changes,
});

async function startedWorld(): Promise<World> {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  return world;
}

async function worldWithHelper(): Promise<World> {
  const world = await startedWorld();
  await putRole(world.deps, world.run, HELPER, null);
  return world;
}

const ask = (world: World, changes: Partial<AccessQuestion>) =>
  checkAccess(world.deps, {
    certificate: null,
    identity: null,
    action: 'identity/rotate',
    scope: '/clusters/management',
    ...changes,
  });

/** What an operator without any role of the token may do. */
const mayAnna = async (deps: Deps, action: string, scope: string) =>
  (await judgeAccess(deps, { principal: { kind: 'operator', id: 'anna' }, implied: [] }, action, scope))
    .allowed;

/** Types of the fleet's own events but the authority's, in their order. */
async function fleetEvents(world: World): Promise<string[]> {
  const types: string[] = [];
  for (let shard = 0; shard < 32; shard++) {
    const rows = await world.tables.record.range(String(shard).padStart(2, '0'), 'o|', 'o}', 10_000);
    for (const { data } of rows) {
      const { type, target } = JSON.parse(data) as { type: string; target: { cluster: string | null } };
      if (target.cluster === null && !type.startsWith('authority-')) types.push(type);
    }
  }
  return types;
}

test('27 a custom role is made, read with its ETag, replaced and deleted, and each leaves an event', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const made = await putRole(deps, run, HELPER, null);
  assert.equal(made.isNew, true);
  assert.deepEqual(await listRoles(deps), [...BUILT_IN_ROLES, HELPER]);
  const changed = { ...HELPER, name: 'HELPER', notActions: [] };
  await assert.rejects(putRole(deps, run, changed, null), { code: 'PreconditionRequired' });
  await assert.rejects(putRole(deps, run, changed, ['other']), { code: 'PreconditionFailed' });
  const replaced = await putRole(deps, run, changed, [made.etag]);
  assert.equal(replaced.isNew, false);
  assert.deepEqual(replaced.value, { ...HELPER, notActions: [] }, 'the first spelling stays');
  await assert.rejects(deleteRole(deps, run, 'helper', [made.etag]), { code: 'PreconditionFailed' });
  await deleteRole(deps, run, 'helper', [replaced.etag]);
  await assert.rejects(readRole(deps, 'Helper'), { code: 'NotFound' });
  await assert.rejects(deleteRole(deps, run, 'Helper', 'any'), { code: 'NotFound' });
  assert.deepEqual((await fleetEvents(world)).sort(), ['role-deleted', 'role-written', 'role-written']);
});

test('27 nobody touches a built-in role or takes its name', async () => {
  const { deps, run } = await startedWorld();
  const owner = await readRole(deps, 'owner');
  assert.equal(owner.value.builtIn, true);
  const taken = { code: 'InvalidInput', details: { pointer: '/name' } };
  await assert.rejects(putRole(deps, run, { ...HELPER, name: 'owner' }, [owner.etag]), taken);
  await assert.rejects(deleteRole(deps, run, 'Owner', [owner.etag]), taken);
});

test('27 an assignment allows until it is gone', async () => {
  const world = await worldWithHelper();
  const { deps, run } = world;
  assert.equal(await mayAnna(deps, 'identity/rotate', '/clusters/management'), false);
  const { etag } = await putAssignment(deps, run, assigned({ roleName: 'helper' }), null);
  assert.deepEqual(await listAssignments(deps), [assigned()], 'the role is named as it was made');
  assert.equal(await mayAnna(deps, 'identity/rotate', '/clusters/management/identities/KMS'), true);
  assert.equal(await mayAnna(deps, 'identity/revoke', '/clusters/management/identities/KMS'), false);
  assert.equal(await mayAnna(deps, 'identity/rotate', '/clusters/other'), false);
  await assert.rejects(deleteAssignment(deps, run, 'one', null), { code: 'PreconditionRequired' });
  await deleteAssignment(deps, run, 'one', [etag]);
  assert.equal(await mayAnna(deps, 'identity/rotate', '/clusters/management/identities/KMS'), false);
  await assert.rejects(readAssignment(deps, 'one'), { code: 'NotFound' });
  assert.deepEqual((await fleetEvents(world)).sort(), ['role-assigned', 'role-unassigned', 'role-written']);
});

test('27 an assignment that goes to somebody else leaves the first with nothing', async () => {
  const world = await worldWithHelper();
  const { deps, run } = world;
  const { etag } = await putAssignment(deps, run, assigned(), null);
  const principal = { kind: 'operator', id: 'ben' } as const;
  const { isNew } = await putAssignment(deps, run, assigned({ principal }), [etag]);
  assert.equal(isNew, false);
  assert.equal(await mayAnna(deps, 'identity/rotate', '/clusters/management'), false);
  const told = ['role-assigned', 'role-assigned', 'role-unassigned', 'role-written'];
  assert.deepEqual((await fleetEvents(world)).sort(), told);
  await putAssignment(deps, run, assigned({ principal }), 'any');
  assert.deepEqual((await fleetEvents(world)).sort(), ['role-assigned', ...told], 'nobody lost anything');
});

test('27 a role is assigned within its assignable scopes, to identities that exist', async () => {
  const { deps, run } = await worldWithHelper();
  for (const [changes, pointer] of [
    [{ scope: '/' }, '/scope'],
    [{ scope: '/clusters/other' }, '/scope'],
    [{ roleName: 'Nobody' }, '/roleName'],
    [{ principal: { kind: 'identity', ...management('Nobody') } }, '/principal'],
  ] as const) {
    const details = { pointer };
    await assert.rejects(putAssignment(deps, run, assigned(changes), null), {
      code: 'InvalidInput',
      details,
    });
  }
  const principal = { kind: 'identity', ...management('kms') } as const;
  const { value } = await putAssignment(deps, run, assigned({ principal }), null);
  assert.deepEqual(value.principal, { kind: 'identity', ...KMS, incarnation: 1 });
  // An answer can be sent back, but not for somebody else of the name.
  const again = await putAssignment(deps, run, value, 'any');
  assert.deepEqual(again.value, value);
  const other = { ...value, principal: { ...principal, incarnation: 2 } };
  await assert.rejects(putAssignment(deps, run, other, 'any'), {
    code: 'InvalidInput',
    details: { pointer: '/principal/incarnation' },
  });
});

test('27 a role that is assigned is neither deleted nor narrowed away from under it', async () => {
  const { deps, run } = await worldWithHelper();
  await putAssignment(deps, run, assigned(), null);
  await assert.rejects(deleteRole(deps, run, 'Helper', 'any'), { code: 'InUse', message: /one/ });
  const narrow = { ...HELPER, assignableScopes: ['/clusters/management/identities/KMS'] };
  await assert.rejects(putRole(deps, run, narrow, 'any'), { code: 'InUse' });
  await putRole(deps, run, { ...HELPER, assignableScopes: ['/'] }, 'any');
  await deleteAssignment(deps, run, 'one', 'any');
  await deleteRole(deps, run, 'Helper', 'any');
});

test('27 of an assignment and the deletion of its role at the same moment one wins', async () => {
  const world = await worldWithHelper();
  const { deps, run } = world;
  // The role goes away after the assignment has looked for it and before it is written.
  let isFirst = true;
  const raced = interceptPorts(deps, async ({ port, method }, proceed) => {
    if (port === 'access' && method === 'commit' && isFirst) {
      isFirst = false;
      await deleteRole(deps, run, 'Helper', 'any');
    }
    return proceed();
  });
  await assert.rejects(putAssignment(raced, run, assigned(), null), {
    code: 'InvalidInput',
    details: { pointer: '/roleName' },
  });
  assert.deepEqual(await listAssignments(deps), []);
});

test('27 whoever is overtaken between If-Match and the write is told so', async () => {
  const { deps, run } = await worldWithHelper();
  const { etag } = await readRole(deps, 'Helper');
  let isFirst = true;
  const raced = interceptPorts(deps, async ({ port, method }, proceed) => {
    if (port === 'access' && method === 'commit' && isFirst) {
      isFirst = false;
      await putRole(deps, run, { ...HELPER, actions: ['identity/read'] }, 'any');
    }
    return proceed();
  });
  await assert.rejects(putRole(raced, run, HELPER, [etag]), { code: 'PreconditionFailed' });
  assert.deepEqual((await readRole(deps, 'Helper')).value.actions, ['identity/read']);
});

test('27 an Owner by token gets in although the rules cannot be read, and nobody else does', async () => {
  const { deps } = await startedWorld();
  const broken = interceptPorts(deps, ({ port }, proceed) => {
    if (port === 'access') throw new Error('The rules cannot be read.');
    return proceed();
  });
  const principal = { kind: 'operator', id: 'anna' } as const;
  const implied = [{ id: 'app-role:Everleaf.Operator', roleName: 'Owner', scope: '/', principal }];
  assert.equal((await judgeAccess(broken, { principal, implied }, 'cluster/delete', '/')).allowed, true);
  await assert.rejects(mayAnna(broken, 'cluster/read', '/'), /cannot be read/);
});

test('27 access-check answers for an identity by what it is and by what is assigned to it', async () => {
  const world = await worldWithHelper();
  const { deps, run } = world;
  assert.deepEqual(await ask(world, { identity: management('mocctl'), action: 'disk/format', scope: '/' }), {
    allowed: true,
    reason: 'The role Owner at / allows disk/format.',
    role: 'Owner',
    assignment: 'client-type:Admin',
    identity: management('Mocctl'),
    serialNumber: null,
  });
  const refused = await ask(world, { identity: KMS });
  assert.deepEqual([refused.allowed, refused.role, refused.identity], [false, null, KMS]);
  await putAssignment(deps, run, assigned({ principal: { kind: 'identity', ...KMS } }), null);
  const allowed = await ask(world, { identity: KMS });
  assert.deepEqual([allowed.allowed, allowed.role, allowed.assignment], [true, 'Helper', 'one']);
  const unknown = await ask(world, { identity: management('Nobody') });
  assert.deepEqual([unknown.allowed, unknown.identity], [false, null]);
});

test('27 access-check answers for a certificate that the record has, while it is valid', async () => {
  const world = await worldWithHelper();
  const { deps, run } = world;
  await putAssignment(deps, run, assigned({ principal: { kind: 'identity', ...NODE_AGENT } }), null);
  const answer = await logIn(
    world,
    await tokenFromLoginFile(world, NODE_AGENT),
    requestOf(NODE_AGENT, 'node'),
  );
  const check = () => ask(world, { certificate: answer.certificate });
  assert.deepEqual(await check(), {
    allowed: true,
    reason: 'The role Helper at /clusters/management allows identity/rotate.',
    role: 'Helper',
    assignment: 'one',
    identity: NODE_AGENT,
    serialNumber: answer.serialNumber,
  });
  world.clock.advance(91 * DAY_MS);
  const expired = await check();
  assert.deepEqual([expired.allowed, expired.reason], [false, 'The certificate has expired.']);
  world.clock.advance(-92 * DAY_MS);
  assert.equal((await check()).reason, 'The certificate is not valid yet.');
});

test('27 access-check knows the vault’s own certificates as well', async () => {
  const world = await startedWorld();
  const { identities } = world.deps;
  await world.tick();
  const { head } = (await identities.identity(management('CloudAgent')))?.value.certificate ?? {};
  const record = await identities.certificate(management('CloudAgent'), head?.serialNumber ?? '');
  assert.ok(record !== null);
  const certificate = encodePem('CERTIFICATE', record.der);
  const answer = await ask(world, { certificate, action: 'access/check', scope: '/' });
  assert.deepEqual([answer.allowed, answer.role], [true, 'Verifier']);
});

test('27 access-check says no to a certificate of others, of a revoked identity and of a deleted one', async () => {
  const world = await startedWorld();
  const answer = await logIn(
    world,
    await tokenFromLoginFile(world, NODE_AGENT),
    requestOf(NODE_AGENT, 'node'),
  );
  const check = (certificate: string) => ask(world, { certificate, action: 'status/read', scope: '/' });

  const foreign = await check(encodePem('CERTIFICATE', makeAuthority().certificate.der));
  assert.deepEqual(
    [foreign.allowed, foreign.reason, foreign.identity, foreign.serialNumber],
    [false, 'The certificate is none of the record.', null, null],
  );
  const now = world.clock.now();
  for (const [changes, reason] of [
    [{ revokedAt: now }, 'The identity is revoked.'],
    [{ deletedAt: now }, 'The identity was deleted.'],
  ] as const) {
    await updateIdentity(world.deps, NODE_AGENT, (identity) => ({
      identity: { ...identity, revokedAt: null, ...changes },
      changes: [],
    }));
    for (const verdict of [await check(answer.certificate), await ask(world, { identity: NODE_AGENT })]) {
      assert.deepEqual([verdict.allowed, verdict.reason, verdict.identity], [false, reason, NODE_AGENT]);
    }
  }
});

test('27 access-check refuses a question that makes no sense', async () => {
  const world = await startedWorld();
  for (const changes of [
    {},
    { identity: KMS, certificate: 'x' },
    { identity: KMS, action: '*' },
    { identity: KMS, action: 'identity/raed' },
    { identity: KMS, scope: '/everywhere' },
    { identity: { cluster: 'a|b', name: 'KMS' } },
    { certificate: 'x' },
  ]) {
    await assert.rejects(ask(world, changes), { code: 'InvalidInput' });
  }
});
