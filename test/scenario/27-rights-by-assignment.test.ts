/** Nobody becomes more than they are by way of an identity's credentials. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Principal } from '../../shared/domain/access.ts';
import { EverleafError } from '../../shared/domain/errors.ts';
import type { ClientTemplate, ClientType, IdentityWishes } from '../../shared/domain/identity.ts';
import type { IdentityId } from '../../shared/domain/names.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import type { Deps, Rights, Run } from '../../shared/use-cases/deps.ts';
import { judgeAccess } from '../../shared/use-cases/judge-access.ts';
import { addIdentity, changeIdentity, issueLoginFile } from '../../shared/use-cases/manage-identity.ts';
import { unlockInstance } from '../../shared/use-cases/manage-instances.ts';
import { mayIssueFor } from '../../shared/use-cases/may-issue.ts';
import { deleteAssignment, putAssignment } from '../../shared/use-cases/role-assignments.ts';
import { updateIdentity } from '../../shared/use-cases/update-identity.ts';
import { identityOf, management, NODE_AGENT } from '../support/agent.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { nodeWithCertificate, startedWorld } from '../support/operator-actions.ts';

const REFUSED = { code: 'AccessDenied', message: /admin\/issue/ };
const LATE: IdentityId = management('late');

function rightsOf(deps: Deps, id: string): Rights {
  const principal: Principal = { kind: 'operator', id };
  const may: Rights['may'] = (action, scope) => judgeAccess(deps, { principal, implied: [] }, action, scope);
  return {
    may,
    demand: async (action, scope) => {
      const { allowed } = await may(action, scope);
      if (!allowed) throw new EverleafError('AccessDenied', `This needs ${action} at ${scope}.`);
    },
  };
}

/** Bob brings nodes in and back, Olga owns the management cluster. */
async function worldOf(): Promise<World & { bob: Run; olga: Run }> {
  const world = await startedWorld();
  const { deps, run } = world;
  const runOf = async (id: string, roleName: string): Promise<Run> => {
    const assignment = {
      id,
      roleName,
      scope: '/clusters/management',
      principal: { kind: 'operator', id },
    } as const;
    await putAssignment(deps, run, assignment, null);
    return { ...run, actor: { kind: 'operator', id, source: null }, rights: rightsOf(deps, id) };
  };
  return { ...world, bob: await runOf('bob', 'NodeContributor'), olga: await runOf('olga', 'Owner') };
}

const makeOwner = (world: World, id: IdentityId = NODE_AGENT) =>
  putAssignment(
    world.deps,
    world.run,
    { id: 'node-owns', roleName: 'Owner', scope: '/', principal: { kind: 'identity', ...id } },
    null,
  );

const add = (world: World, run: Run, clientType: ClientType, wishes: IdentityWishes = {}) => {
  const template: ClientTemplate = { name: LATE.name, clientType, delivery: 'agent', credentials: 'cloud' };
  return addIdentity(world.deps, run, 'management', template, wishes);
};

test('27 whoever brings nodes in makes neither an Admin nor a Host, also of a name that was deleted', async () => {
  const world = await worldOf();
  const { deps, bob, olga, run } = world;
  for (const clientType of ['Admin', 'Host'] as const) {
    await assert.rejects(add(world, bob, clientType), REFUSED);
    assert.equal(await deps.identities.identity(LATE), null);
  }
  await add(world, bob, 'Node');
  await deleteIdentity(deps, run, LATE);
  await assert.rejects(add(world, bob, 'Host'), REFUSED);
  assert.notEqual((await identityOf(world, LATE)).deletedAt, null);
  const { identity } = await add(world, olga, 'Host');
  assert.deepEqual(identity.dnsNames, ['cloud.everleaf.test']);
});

test('27 the cloud agent’s name goes to no Host outside the management cluster', async () => {
  const world = await worldOf();
  const { deps, run } = world;
  await deps.fleet.insertCluster({
    ...((await deps.fleet.cluster('management'))?.value ?? assert.fail()),
    name: 'alpha',
    kind: 'workload',
  });
  const template = { name: 'h', clientType: 'Host', delivery: 'agent', credentials: 'cloud' } as const;
  assert.deepEqual((await addIdentity(deps, run, 'alpha', template, {})).identity.dnsNames, []);
});

test('27 DNS names are given by owners alone, and taken away by whoever may change the identity', async () => {
  const world = await worldOf();
  const { deps, bob, olga } = world;
  const names = { dnsNames: ['cloud.everleaf.test'] };
  await assert.rejects(add(world, bob, 'Node', names), REFUSED);
  await add(world, bob, 'Node', { dnsNames: [] });
  await assert.rejects(changeIdentity(deps, bob, LATE, names, 'any'), REFUSED);
  await changeIdentity(deps, olga, LATE, { dnsNames: ['a.test', 'b.test'] }, 'any');
  await changeIdentity(deps, bob, LATE, { dnsNames: ['b.test'], tokenMaxUses: 3 }, 'any');
  assert.deepEqual((await identityOf(world, LATE)).dnsNames, ['b.test']);
});

test('27 credentials of an identity that roles are assigned to go to owners alone', async () => {
  const world = await worldOf();
  const { deps, bob, olga, run } = world;
  const { answer } = await nodeWithCertificate(world);
  const rotate = (by: Run) => issueLoginFile(deps, by, NODE_AGENT, false);
  const unlock = (by: Run) => unlockInstance(deps, by, NODE_AGENT, answer.instance);
  await rotate(bob);
  await unlock(bob);
  await makeOwner(world);
  const { token } = await identityOf(world, NODE_AGENT);
  await assert.rejects(rotate(bob), REFUSED);
  await assert.rejects(unlock(bob), REFUSED);
  assert.equal(await mayIssueFor(deps, bob, await identityOf(world, NODE_AGENT)), false);
  assert.deepEqual((await identityOf(world, NODE_AGENT)).token, token);
  await rotate(olga);
  await unlock(olga);
  assert.equal(await mayIssueFor(deps, olga, await identityOf(world, NODE_AGENT)), true);
  await deleteAssignment(deps, run, 'node-owns', 'any');
  await rotate(bob);
});

test('27 the Admin’s and the Host’s credentials go to owners alone', async () => {
  const world = await worldOf();
  for (const name of ['Mocctl', 'CloudAgent']) {
    await assert.rejects(issueLoginFile(world.deps, world.bob, management(name), false), REFUSED);
    await issueLoginFile(world.deps, world.olga, management(name), false);
  }
});

test('27 an identity that becomes an Admin between the question and the token is judged as what it is then', async () => {
  const world = await worldOf();
  let isFirst = true;
  const deps = interceptPorts(world.deps, async (call, next) => {
    const isWrite = call.port === 'identities' && call.method === 'commit';
    if (isWrite && isFirst) {
      isFirst = false;
      await updateIdentity(world.deps, NODE_AGENT, (identity) => ({
        identity: { ...identity, clientType: 'Admin' },
        changes: [],
      }));
    }
    return next();
  });
  await assert.rejects(issueLoginFile(deps, world.bob, NODE_AGENT, true), REFUSED);
  assert.equal((await identityOf(world, NODE_AGENT)).token.generation, 0);
});

test('27 an identity that is made again has nothing of what was assigned to the earlier one', async () => {
  const world = await worldOf();
  const { deps, bob, run } = world;
  await add(world, bob, 'Node');
  await makeOwner(world, LATE);
  const may = async () => {
    const { incarnation } = await identityOf(world, LATE);
    const principal: Principal = { kind: 'identity', ...LATE, incarnation };
    return (await judgeAccess(deps, { principal, implied: [] }, 'cluster/delete', '/')).allowed;
  };
  assert.equal(await may(), true);
  await deleteIdentity(deps, run, LATE);
  const { warnings } = await add(world, bob, 'Node');
  assert.match(warnings.join(), /node-owns still stands: the earlier management\/late was Owner/);
  assert.equal(await may(), false);
  await issueLoginFile(deps, bob, LATE, false);
  await deleteAssignment(deps, run, 'node-owns', 'any');
  await makeOwner(world, LATE);
  assert.equal(await may(), true);
});
