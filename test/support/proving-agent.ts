import type { IdentityId } from '../../shared/domain/names.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import type { LoginAnswer } from '../../shared/use-cases/login-answer.ts';
import type { ProvenCaller } from '../../shared/use-cases/proven-caller.ts';
import { renewWithProof } from '../../shared/use-cases/renew-with-proof.ts';
import { verifyProof } from '../../shared/use-cases/verify-proof.ts';
import { type KeyKind, type KeyPair, keyPair } from '../unit/pki/support/keys.ts';
import { certificateOf, logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from './agent.ts';
import type { World } from './memory-world.ts';
import { makeProof } from './proofs.ts';
import { renewalRequest } from './renewal-requests.ts';

/** What an agent has on its disk. */
export interface Held {
  readonly id: IdentityId;
  /** DER. */
  readonly certificate: Uint8Array;
  readonly key: KeyPair;
  readonly answer: LoginAnswer;
}

const RENEW = '/api/certificates/renew';

/** NodeAgent's first certificate, for the key of that owner. */
export async function firstCertificate(world: World, owner = 'node', kind: KeyKind = 'P-256'): Promise<Held> {
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const answer = await logIn(world, token, requestOf(NODE_AGENT, owner, kind));
  return holding(NODE_AGENT, answer, keyPair(kind, owner));
}

export function holding(id: IdentityId, answer: LoginAnswer, key: KeyPair): Held {
  return { id, certificate: certificateOf(answer), key, answer };
}

/** Shows the certificate with proof, as for any route that wants one. */
export function show(world: World, held: Held, deps: Deps = world.deps): Promise<ProvenCaller> {
  const path = '/api/test';
  const proof = makeProof({ ...held, path, method: 'GET', now: world.clock.now() });
  return verifyProof(deps, world.run, { proof, method: 'GET', path, body: null });
}

/** Renews as agents do that sign their requests: the key of the same owner is always the same key. */
export async function renew(
  world: World,
  held: Held,
  owner: string,
  deps: Deps = world.deps,
  bundleId: string | null = null,
): Promise<Held> {
  const kind: KeyKind = 'P-256';
  const body = JSON.stringify({ csr: requestOf(held.id, owner, kind) });
  const proof = makeProof({ ...held, path: RENEW, body, now: world.clock.now() });
  const sent = { proof, method: 'POST', path: RENEW, body: new TextEncoder().encode(body) };
  const caller = await verifyProof(deps, world.run, sent, { isRenewal: true });
  const csr: string = JSON.parse(body).csr;
  const answer = await renewWithProof(deps, world.run, { csr, bundleId, caller });
  return holding(held.id, answer, keyPair(kind, owner));
}

/** Renews as the cloud agent's clients do: the proof is inside the request. */
export async function renewAsMoc(
  world: World,
  held: Held,
  owner: string,
  kind: KeyKind = 'P-256',
): Promise<Held> {
  const newKey = keyPair(kind, owner);
  const { id: identity, certificate, key } = held;
  const csr = renewalRequest({ identity, certificate, key, newKey, now: world.clock.now() });
  const answer = await renewWithProof(world.deps, world.run, { csr, bundleId: null, caller: null });
  return holding(identity, answer, newKey);
}
