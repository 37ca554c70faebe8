import type { IdentityId } from '../../shared/domain/names.ts';
import type { LoginFile } from '../../shared/use-cases/make-login-file.ts';
import { issueLoginFile } from '../../shared/use-cases/manage-identity.ts';
import type { ProvenCaller } from '../../shared/use-cases/proven-caller.ts';
import { verifyProof } from '../../shared/use-cases/verify-proof.ts';
import { keyPair } from '../unit/pki/support/keys.ts';
import { certificateOf, logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from './agent.ts';
import { memoryWorld, type World } from './memory-world.ts';
import { makeProof } from './proofs.ts';
import { startWorld } from './started-world.ts';

const ROTATE = '/api/token/rotate';

export async function startedWorld(): Promise<World> {
  const world = memoryWorld();
  await startWorld(world);
  return world;
}

/** The login file that an operator's rotation answers. */
export function rotate(world: World, id: IdentityId, isCutOver = false): Promise<LoginFile> {
  return issueLoginFile(world.deps, world.run, id, isCutOver);
}

/** NodeAgent with a certificate for its key `owner`; the token of its login file is used. */
export async function nodeWithCertificate(world: World, owner = 'node') {
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const answer = await logIn(world, token, requestOf(NODE_AGENT, owner));
  return { token, answer, certificate: certificateOf(answer) };
}

/** Proves the key of a certificate, as for a rotation of the token. */
export function prove(world: World, certificate: Uint8Array, owner: string): Promise<ProvenCaller> {
  const proof = makeProof({
    certificate,
    key: keyPair('P-256', owner),
    path: ROTATE,
    body: '{}',
    now: world.clock.now(),
  });
  const body = new TextEncoder().encode('{}');
  return verifyProof(world.deps, world.run, { proof, method: 'POST', path: ROTATE, body });
}
