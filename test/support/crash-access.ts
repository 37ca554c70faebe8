import type { AssignmentRequest, Role } from '../../shared/domain/access.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { deleteAssignment, putAssignment } from '../../shared/use-cases/role-assignments.ts';
import { deleteRole, putRole } from '../../shared/use-cases/roles.ts';
import { NODE_AGENT } from './agent.ts';
import type { Scene } from './crash-flows.ts';
import type { World } from './memory-world.ts';
import { startWorld } from './started-world.ts';

const HELPER: Role = {
  name: 'Helper',
  actions: ['identity/*'],
  notActions: ['identity/revoke'],
  assignableScopes: ['/clusters/management'],
  builtIn: false,
};
const ASSIGNMENT: AssignmentRequest = {
  id: 'one',
  roleName: 'Helper',
  scope: '/clusters/management',
  principal: { kind: 'identity', ...NODE_AGENT },
};

/** An operator changes the rules, and asks again when it is not so yet: an ETag tells that nobody else was at it. */
function asking(world: World, isDone: () => Promise<boolean>, ask: (deps: Deps) => Promise<unknown>): Scene {
  return {
    act: ask,
    goOn: async () => {
      if (!(await isDone())) await ask(world.deps);
      return [];
    },
  };
}

export async function roleScene(world: World): Promise<Scene> {
  const { deps, run } = world;
  await startWorld(world);
  const isDone = async () => (await deps.access.role('Helper')) !== null;
  return asking(world, isDone, (used) => putRole(used, run, HELPER, null));
}

export async function roleChangeScene(world: World): Promise<Scene> {
  const { deps, run } = world;
  await startWorld(world);
  const { etag } = await putRole(deps, run, HELPER, null);
  const isDone = async () => (await deps.access.role('Helper'))?.etag !== etag;
  return asking(world, isDone, (used) => putRole(used, run, { ...HELPER, notActions: [] }, [etag]));
}

export async function roleEndScene(world: World): Promise<Scene> {
  const { deps, run } = world;
  await startWorld(world);
  const { etag } = await putRole(deps, run, HELPER, null);
  const isDone = async () => (await deps.access.role('Helper')) === null;
  return asking(world, isDone, (used) => deleteRole(used, run, 'Helper', [etag]));
}

export async function assignmentScene(world: World): Promise<Scene> {
  const { deps, run } = world;
  await startWorld(world);
  await putRole(deps, run, HELPER, null);
  const isDone = async () => (await deps.access.assignment('one')) !== null;
  return asking(world, isDone, (used) => putAssignment(used, run, ASSIGNMENT, null));
}

export async function assignmentEndScene(world: World): Promise<Scene> {
  const { deps, run } = world;
  await startWorld(world);
  await putRole(deps, run, HELPER, null);
  const { etag } = await putAssignment(deps, run, ASSIGNMENT, null);
  const isDone = async () => (await deps.access.assignment('one')) === null;
  return asking(world, isDone, (used) => deleteAssignment(used, run, 'one', [etag]));
}
