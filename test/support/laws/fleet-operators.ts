import assert from 'node:assert/strict';
import type { ClientTemplate } from '../../../shared/domain/identity.ts';
import { MANAGEMENT_CLIENTS } from '../../../shared/domain/identity.ts';
import { SECOND_MS } from '../../../shared/domain/instants.ts';
import { type IdentityId, identityText } from '../../../shared/domain/names.ts';
import { deleteCluster } from '../../../shared/use-cases/delete-cluster.ts';
import { deleteIdentity } from '../../../shared/use-cases/delete-identity.ts';
import type { Deps } from '../../../shared/use-cases/deps.ts';
import { readLoginFile } from '../../../shared/use-cases/make-login-file.ts';
import { issueLoginFile } from '../../../shared/use-cases/manage-identity.ts';
import { unlockInstance } from '../../../shared/use-cases/manage-instances.ts';
import { createOrRecreateIdentity } from '../../../shared/use-cases/recreate-identity.ts';
import { createRevocationRule, deleteRevocationRule } from '../../../shared/use-cases/revocation-rules.ts';
import { revoke } from '../../../shared/use-cases/revoke.ts';
import { sealAudit } from '../../../shared/use-cases/seal-audit.ts';
import { readRotationKey } from '../../../shared/use-cases/tokens.ts';
import { identityOf } from '../agent.ts';
import { create, repair } from '../clusters.ts';
import type { World } from '../memory-world.ts';
import { FLEET, type OperatorDeed, type Revival } from './fleet-events.ts';
import { type FleetMemory, generationOf } from './fleet-memory.ts';

/** What an operator does, and what the bystander is told of it once it is answered. */
export async function doAsOperator(
  world: World,
  memory: FleetMemory,
  deed: OperatorDeed | Revival,
  deps: Deps,
): Promise<void> {
  const { run } = world;
  switch (deed.do) {
    case 'tick':
      return world.tick(deps);
    case 'seal':
      await sealAudit(deps, run);
      return;
    case 'rotate': {
      const id = clientAt(deed.client);
      const { token } = await issueLoginFile(deps, run, id, deed.isCutOver);
      memory.of(id).tokens.push(token.reveal());
      const { generation } = await generationOf(world.deps, token.reveal());
      if (deed.isCutOver) memory.floors.set(identityText(id), generation);
      return;
    }
    case 'revoke':
      return revokeSomething(world, memory, deed, deps);
    case 'delete': {
      const id = clientAt(deed.client);
      await deleteIdentity(deps, run, id);
      memory.bury(id);
      return;
    }
    case 'unlock': {
      const id = clientAt(deed.client);
      for (const { id: instance } of await deps.identities.instances(id)) {
        await unlockInstance(deps, run, id, instance);
      }
      return;
    }
    case 'repair':
      await repair(world, deed.kind, { force: deed.force }, deps);
      return;
    case 'delete-cluster':
      await deleteCluster(deps, run, 'alpha', null, null);
      return;
    default:
      return revive(world, memory, deed, deps);
  }
}

async function revokeSomething(
  { run }: World,
  memory: FleetMemory,
  { client, what, which, reason }: OperatorDeed & { do: 'revoke' },
  deps: Deps,
): Promise<void> {
  const id = clientAt(client);
  const chosen = memory
    .certificatesOf(id)
    .filter(({ instance }) => what !== 'instance' || instance !== 'vault');
  const target = chosen.at(-1 - which) ?? chosen[0];
  if (what !== 'identity' && target === undefined) return;
  const instance = what === 'instance' ? (target?.instance ?? null) : null;
  const serialNumber = what === 'certificate' ? (target?.serialNumber ?? null) : null;
  await revoke(deps, run, id, { instance, serialNumber }, reason);
  if (what === 'identity') return memory.bury(id);
  const ended =
    what === 'certificate' ? [target] : memory.certificatesOf(id).filter((one) => one.instance === instance);
  for (const one of ended) if (one !== undefined) memory.deadSerials.add(one.serialNumber);
  if (what === 'instance') return memory.killKeys(ended.filter((one) => one !== undefined));
  if (reason === 'keyCompromise' && target !== undefined) memory.killKeys([target]);
}

async function revive(world: World, memory: FleetMemory, deed: Revival, deps: Deps): Promise<void> {
  const { run, clock } = world;
  switch (deed.do) {
    case 'recreate': {
      const id = clientAt(deed.client);
      if (id.cluster !== 'management') return;
      const key = await readRotationKey(deps);
      const { identity, isNew } = await createOrRecreateIdentity(deps, run, key, id.cluster, templateOf(id));
      // One that died behind its last write has made it all the same, and asking again finds it alive.
      if (isNew || memory.dead.has(identityText(id))) {
        if (identity.revokedAt !== null) return;
        const file = await readLoginFile(world.deps, identity);
        await memory.revive(world.deps, id, file?.token.reveal() ?? null);
      }
      return;
    }
    case 'create-cluster': {
      const { delivery } = deed;
      const { identities, loginFiles } = await create(world, { nodes: ['n1'], delivery }, null, deps);
      memory.deadClusters.delete('alpha');
      for (const identity of identities.filter(({ revokedAt }) => revokedAt === null)) {
        const file = loginFiles.find(({ name }) => name === identity.name);
        await memory.revive(world.deps, identity, file?.token.reveal() ?? null);
      }
      return;
    }
    case 'rule': {
      const identity = clientAt(deed.client);
      const before =
        deed.secondsAgo === null ? null : new Date(clock.now().getTime() - deed.secondsAgo * SECOND_MS);
      const { clientType, cluster } = await identityOf(world, identity);
      const criteria = { clientType, cluster, dnsName: null, issuedBefore: before };
      const { id } = await createRevocationRule(deps, run, criteria, 'unspecified');
      memory.rules.push({ id, identity, before });
      return;
    }
    case 'take-rule-back': {
      const rule = memory.rules.at(-1);
      if (rule === undefined) return;
      // Told before it is asked: whatever becomes of the answer, the rule may be gone.
      memory.rules.pop();
      await deleteRevocationRule(deps, run, rule.id);
    }
  }
}

function clientAt(index: number): IdentityId {
  const id = FLEET[index];
  assert.ok(id !== undefined);
  return id;
}

function templateOf({ name }: IdentityId): ClientTemplate {
  const found = MANAGEMENT_CLIENTS.find((template) => template.name === name);
  assert.ok(found !== undefined);
  return found;
}
