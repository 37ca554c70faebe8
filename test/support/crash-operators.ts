import assert from 'node:assert/strict';
import { isEverleafError } from '../../shared/domain/errors.ts';
import type { ClientTemplate } from '../../shared/domain/identity.ts';
import { MANAGEMENT_CLIENTS } from '../../shared/domain/identity.ts';
import { type IdentityId, MANAGEMENT_CLUSTER } from '../../shared/domain/names.ts';
import type { RevocationCriteria } from '../../shared/domain/revocation.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { addIdentity, changeIdentity, issueLoginFile } from '../../shared/use-cases/manage-identity.ts';
import { createRevocationRule, deleteRevocationRule } from '../../shared/use-cases/revocation-rules.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { certificateOf, identityOf, KMS, logIn, management, NODE_AGENT, requestOf } from './agent.ts';
import { hoursPass, type Scene } from './crash-flows.ts';
import type { World } from './memory-world.ts';
import { firstCertificate, show } from './proving-agent.ts';
import { startWorld } from './started-world.ts';

/** An operator asks for something, and again until there is an answer; then hours pass. */
function asking(
  world: World,
  ask: (deps: Deps) => Promise<unknown>,
  check: () => Promise<readonly Uint8Array[]> = async () => [],
): Scene {
  return {
    act: ask,
    goOn: async () => {
      await ask(world.deps);
      await hoursPass(world);
      return check();
    },
  };
}

/** An operator rotates the token of a client whose token was used. */
export async function rotationScene(world: World, id: IdentityId): Promise<Scene> {
  await startWorld(world);
  if (id === NODE_AGENT) await firstCertificate(world);
  const rotate = (deps: Deps) => issueLoginFile(deps, world.run, id, false);
  return asking(world, rotate, async () => {
    if (id !== NODE_AGENT) return [];
    const { token } = await rotate(world.deps);
    return [certificateOf(await logIn(world, token.reveal(), requestOf(id, 'node')))];
  });
}

/** An operator ends a token that fell into wrong hands, and again while the old one still works. */
export async function cutOverScene(world: World): Promise<Scene> {
  await startWorld(world);
  const { token: stolen } = await issueLoginFile(world.deps, world.run, NODE_AGENT, false);
  return {
    act: (deps) => issueLoginFile(deps, world.run, NODE_AGENT, true),
    goOn: async () => {
      const { floorGeneration } = (await identityOf(world, NODE_AGENT)).token;
      const { token } = await issueLoginFile(world.deps, world.run, NODE_AGENT, floorGeneration === 0);
      const csr = requestOf(NODE_AGENT, 'node');
      await assert.rejects(logIn(world, stolen.reveal(), csr), { code: 'Expired' });
      return [certificateOf(await logIn(world, token.reveal(), csr))];
    },
  };
}

/** An operator makes an identity. When it is there and nothing answered, a rotation gives its login file. */
async function addingScene(world: World, template: ClientTemplate): Promise<Scene> {
  const add = (deps: Deps) => addIdentity(deps, world.run, MANAGEMENT_CLUSTER, template, {});
  return {
    act: add,
    goOn: async () => {
      await add(world.deps).catch((error: unknown) => {
        if (!isEverleafError(error, 'AlreadyExists')) throw error;
      });
      const id = management(template.name);
      const { token } = await issueLoginFile(world.deps, world.run, id, false);
      const answer = await logIn(world, token.reveal(), requestOf(id, 'a new key'));
      return [certificateOf(answer)];
    },
  };
}

export async function identityScene(world: World): Promise<Scene> {
  await startWorld(world);
  return addingScene(world, { name: 'n1', clientType: 'Node', delivery: 'agent', credentials: 'cloud' });
}

/** NodeAgent had two instances, was deleted, and is made again. */
export async function secondLifeScene(world: World): Promise<Scene> {
  await startWorld(world);
  const first = await firstCertificate(world);
  const { token } = await issueLoginFile(world.deps, world.run, NODE_AGENT, false);
  await logIn(world, token.reveal(), requestOf(NODE_AGENT, 'replica'));
  await deleteIdentity(world.deps, world.run, NODE_AGENT);
  const template = MANAGEMENT_CLIENTS.find(({ name }) => name === NODE_AGENT.name);
  assert.ok(template !== undefined);
  const scene = await addingScene(world, template);
  return {
    ...scene,
    goOn: async () => {
      const released = await scene.goOn();
      await assert.rejects(show(world, first), { code: 'Revoked' });
      await assert.rejects(logIn(world, token.reveal(), requestOf(NODE_AGENT, 'replica')));
      return [first.certificate, ...released];
    },
  };
}

export async function changeScene(world: World): Promise<Scene> {
  await startWorld(world);
  return asking(world, (deps) =>
    changeIdentity(deps, world.run, KMS, { autoRotate: false, tokenExpiryInSeconds: 864_000 }, 'any'),
  );
}

export async function endScene(world: World): Promise<Scene> {
  await startWorld(world);
  // An identity that is being deleted waits for nothing: the flow comes to its end when it is asked for again.
  return {
    act: (deps) => deleteIdentity(deps, world.run, NODE_AGENT),
    goOn: async () => {
      await deleteIdentity(world.deps, world.run, NODE_AGENT);
      return [];
    },
  };
}

/** An operator revokes NodeAgent, its instance, or its certificate. */
export async function revocationScene(
  world: World,
  what: 'identity' | 'instance' | 'certificate',
): Promise<Scene> {
  await startWorld(world);
  const held = await firstCertificate(world);
  const { instance, serialNumber } = held.answer;
  const target = {
    instance: what === 'instance' ? instance : null,
    serialNumber: what === 'certificate' ? serialNumber : null,
  };
  const ask = (deps: Deps) => revoke(deps, world.run, NODE_AGENT, target, 'keyCompromise');
  return asking(world, ask, async () => {
    await assert.rejects(show(world, held), { code: 'Revoked' });
    return [held.certificate];
  });
}

/** An operator revokes the certificate that KMS has in the vault: the next one comes by itself. */
export async function vaultRevocationScene(world: World): Promise<Scene> {
  await startWorld(world);
  const { head } = (await identityOf(world, KMS)).certificate;
  assert.ok(head !== null);
  const target = { instance: null, serialNumber: head.serialNumber };
  const ask = (deps: Deps) => revoke(deps, world.run, KMS, target, 'keyCompromise');
  return asking(world, ask, async () => {
    const next = (await identityOf(world, KMS)).certificate.head;
    assert.equal(next?.renewCount, head.renewCount + 1);
    return [];
  });
}

const CRITERIA: RevocationCriteria = {
  clientType: 'BareMetal',
  cluster: null,
  dnsName: null,
  issuedBefore: null,
};

/** An operator makes a rule, and looks whether it stands before asking again. */
export async function ruleScene(world: World): Promise<Scene> {
  await startWorld(world);
  const make = (deps: Deps) => createRevocationRule(deps, world.run, CRITERIA, 'unspecified');
  return {
    act: make,
    goOn: async () => {
      if ((await world.deps.revocationRules.all()).length === 0) await make(world.deps);
      return [];
    },
  };
}

/** An operator takes a rule back; that it is not there any more is an answer, too. */
export async function ruleEndScene(world: World): Promise<Scene> {
  await startWorld(world);
  const { id } = await createRevocationRule(world.deps, world.run, CRITERIA, 'unspecified');
  return {
    act: (deps) => deleteRevocationRule(deps, world.run, id),
    goOn: async () => {
      await deleteRevocationRule(world.deps, world.run, id).catch((error: unknown) => {
        if (!isEverleafError(error, 'NotFound')) throw error;
      });
      return [];
    },
  };
}
