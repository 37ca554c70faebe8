/** What agents send: logins, renewals with both proofs, and whatever else they prove their key for. */
import { type KeyKind, keyPair } from '../../unit/pki/support/keys.ts';
import { requestOf } from '../agent.ts';
import { renewalRequest } from '../renewal-requests.ts';
import type { Draft } from './draft.ts';
import type { Pick } from './pick.ts';
import { ADMIN, type HeldCertificate, type Scene } from './scene.ts';

/** As many keys as make old ones come again, and the slow ones seldom. */
const OWNERS = ['one', 'two', 'three', 'four', 'five', 'six'];
const KINDS: readonly KeyKind[] = ['P-256', 'P-256', 'P-256', 'P-256', 'P-384', 'RSA-2048'];

export function logIn(scene: Scene, pick: Pick): Partial<Draft> {
  const { id, text } = pick.of(scene.tokens);
  const [kind, owner] = [pick.of(KINDS), pick.of(OWNERS)];
  const isWithKey = !pick.oneIn(4);
  const csr = isWithKey ? { csr: requestOf(id, owner, kind) } : {};
  const bundle = pick.oneIn(4) ? { bundleId: pick.orElse(scene.bundles, 'a'.repeat(64)) } : {};
  const key = isWithKey ? keyPair(kind, owner) : null;
  if (!pick.oneIn(3)) return { body: { token: text, ...csr, ...bundle }, key };
  const authorization = pick.oneIn(2) ? text : `Bearer ${text}`;
  return { headers: { authorization }, body: { ...csr, ...bundle }, key };
}

export function renew(scene: Scene, pick: Pick): Partial<Draft> {
  const held = pick.orElse<HeldCertificate | null>(scene.held, null);
  if (held === null) return { body: { csr: requestOf(ADMIN, 'one') } };
  const kind = pick.of(KINDS);
  const key = keyPair(kind, pick.of(OWNERS));
  if (pick.oneIn(2)) {
    const { id, certificate } = held;
    const now = scene.world.clock.now();
    const csr = renewalRequest({ identity: id, certificate, key: held.key, newKey: key, now });
    return { body: { csr }, key };
  }
  const owner = pick.of(OWNERS);
  const body = { csr: requestOf(held.id, owner, kind) };
  return { body, key: keyPair(kind, owner), credential: { kind: 'proof', held } };
}

export function byProof(scene: Scene, pick: Pick, body: unknown): Partial<Draft> {
  const held = pick.orElse<HeldCertificate | null>(scene.held, null);
  return { body, credential: held === null ? { kind: 'none' } : { kind: 'proof', held } };
}
