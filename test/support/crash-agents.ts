import assert from 'node:assert/strict';
import { isEverleafError } from '../../shared/domain/errors.ts';
import { DAY_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { spkiHash } from '../../shared/pki/public-key.ts';
import { acknowledgeBundle } from '../../shared/use-cases/acknowledge-bundle.ts';
import { readTrustBundle } from '../../shared/use-cases/authorities.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { ensureSuccessor } from '../../shared/use-cases/ensure-successor.ts';
import { unlockInstance } from '../../shared/use-cases/manage-instances.ts';
import { verifyProof } from '../../shared/use-cases/verify-proof.ts';
import { keyPair } from '../unit/pki/support/keys.ts';
import { certificateOf, identityOf, KMS, logIn, NODE_AGENT, requestOf, tokenFromVault } from './agent.ts';
import type { Scene } from './crash-flows.ts';
import type { World } from './memory-world.ts';
import { makeProof } from './proofs.ts';
import { firstCertificate, type Held, renew, show } from './proving-agent.ts';
import { startWorld } from './started-world.ts';

const LOCKED = { code: 'Locked' };

/** NodeAgent, which has logged in once and used nothing of what it got. */
async function nodeAgent(world: World): Promise<Held> {
  await startWorld(world);
  return firstCertificate(world);
}

/** An agent asks for a certificate with proof, again until it has an answer, and then uses it. */
function asking(world: World, held: Held, owner: string, renewCount: number): Scene {
  return {
    act: (deps) => renew(world, held, owner, deps),
    goOn: async () => {
      const hash = spkiHash(keyPair('P-256', owner).spki);
      const begun = await world.deps.identities.issuance(held.id.cluster, held.answer.serialNumber, hash);
      // An attempt that nobody has finished is taken over after 30 seconds.
      world.clock.advance(31 * SECOND_MS);
      const next = await renew(world, held, owner);
      assert.equal(next.answer.serialNumber, begun?.value.attempt.serialNumber ?? next.answer.serialNumber);
      assert.equal(next.answer.renewCount, renewCount);
      await show(world, next);
      await assert.rejects(show(world, held), { code: 'Expired' });
      return [held.certificate, next.certificate];
    },
  };
}

/** NodeAgent renews with proof of its key. */
export async function proofScene(world: World): Promise<Scene> {
  const held = await nodeAgent(world);
  world.clock.advance(40 * DAY_MS);
  return asking(world, held, 'node, key 1', 1);
}

/** NodeAgent asks with another key, long after an answer that it lost. */
export async function replacementScene(world: World): Promise<Scene> {
  const held = await nodeAgent(world);
  await renew(world, held, 'node, key 1');
  world.clock.advance(8 * DAY_MS);
  return asking(world, held, 'node, key 2', 1);
}

/** NodeAgent uses its successor for the first time by renewing it. */
export async function promotionScene(world: World): Promise<Scene> {
  const next = await renew(world, await nodeAgent(world), 'node, key 1');
  world.clock.advance(40 * DAY_MS);
  return asking(world, next, 'node, key 2', 2);
}

/** NodeAgent was off until its certificate had ended. */
export async function recoveryScene(world: World): Promise<Scene> {
  const held = await nodeAgent(world);
  world.clock.advance(100 * DAY_MS);
  return asking(world, held, 'node, key 1', 1);
}

/** NodeAgent uses its successor for the first time, and again until it has an answer. */
export async function firstUseScene(world: World): Promise<Scene> {
  const held = await nodeAgent(world);
  const next = await renew(world, held, 'node, key 1');
  return {
    act: (deps) => show(world, next, deps),
    goOn: async () => {
      await show(world, next);
      await assert.rejects(show(world, held), { code: 'Expired' });
      return [held.certificate, next.certificate];
    },
  };
}

/** A thief has copied NodeAgent's first key, and asks for another one when that certificate is superseded. */
export async function forkScene(world: World): Promise<Scene> {
  const stolen = await nodeAgent(world);
  const next = await renew(world, stolen, 'node, key 1');
  await show(world, next);
  return {
    act: (deps) => steal(world, stolen, deps),
    goOn: async () => {
      await steal(world, stolen, world.deps);
      await assert.rejects(show(world, next), LOCKED);
      return [stolen.certificate, next.certificate];
    },
  };
}

async function steal(world: World, stolen: Held, deps: Deps): Promise<void> {
  await renew(world, stolen, 'a thief', deps).then(
    () => assert.fail('The thief was given a certificate.'),
    (error: unknown) => {
      if (!isEverleafError(error, 'Locked')) throw error;
    },
  );
}

/** An operator unlocks what a thief has locked, and asks again until there is an answer. */
export async function unlockScene(world: World): Promise<Scene> {
  const stolen = await nodeAgent(world);
  const next = await renew(world, stolen, 'node, key 1');
  await show(world, next);
  await steal(world, stolen, world.deps);
  const unlock = (deps: Deps) => unlockInstance(deps, world.run, NODE_AGENT, next.answer.instance);
  return {
    act: unlock,
    goOn: async () => {
      assert.equal((await unlock(world.deps)).lockedAt, null);
      await show(world, next);
      return [stolen.certificate, next.certificate];
    },
  };
}

/** NodeAgent asks for its next token with proof of its key, and logs in with it. */
export async function tokenByProofScene(world: World): Promise<Scene> {
  const held = await nodeAgent(world);
  const path = '/api/token/rotate';
  const ask = async (deps: Deps) => {
    const proof = makeProof({ ...held, path, body: '{}', now: world.clock.now() });
    const body = new TextEncoder().encode('{}');
    const { identity } = await verifyProof(deps, world.run, { proof, method: 'POST', path, body });
    return ensureSuccessor(deps, world.run, identity);
  };
  return {
    act: ask,
    goOn: async () => {
      const { token, text } = await ask(world.deps);
      assert.equal(token.generation, 1);
      const answer = await logIn(world, text.reveal(), requestOf(NODE_AGENT, 'node'));
      return [held.certificate, certificateOf(answer)];
    },
  };
}

/** NodeAgent says which trust bundle it holds. */
export async function acknowledgementScene(world: World): Promise<Scene> {
  const held = await nodeAgent(world);
  const { record } = await show(world, held);
  const { id } = await readTrustBundle(world.deps);
  const acknowledge = (deps: Deps) => acknowledgeBundle(deps, world.run, record, id);
  return {
    act: acknowledge,
    goOn: async () => {
      assert.deepEqual(await acknowledge(world.deps), { bundleId: id, current: true });
      return [held.certificate];
    },
  };
}

/** KMS, whose key lies in the vault, logs in with the token from there; each time that it does is an event. */
export async function vaultLoginScene(world: World): Promise<Scene> {
  await startWorld(world);
  const token = tokenFromVault(world, KMS);
  return {
    act: (deps) => logIn(world, token, null, deps),
    goOn: async () => {
      const { token: state, certificate } = await identityOf(world, KMS);
      if (state.usedGeneration >= 0) return [];
      const answer = await logIn(world, token, null);
      assert.equal(answer.serialNumber, certificate.head?.serialNumber);
      return [certificateOf(answer)];
    },
  };
}
