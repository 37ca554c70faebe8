import assert from 'node:assert/strict';
import { fromHex, toHex } from '../../../shared/domain/encoding.ts';
import { isEverleafError } from '../../../shared/domain/errors.ts';
import { wholeSecond } from '../../../shared/domain/instants.ts';
import { type IdentityId, isSameIdentity, vaultTokenName } from '../../../shared/domain/names.ts';
import { MIN_LEAF_LIFE_MS } from '../../../shared/domain/policy.ts';
import { decodeToken } from '../../../shared/domain/token.ts';
import { readActiveAuthority } from '../../../shared/use-cases/authorities.ts';
import type { Deps } from '../../../shared/use-cases/deps.ts';
import { makeLoginFile } from '../../../shared/use-cases/make-login-file.ts';
import { certificateOf, identityOf, logIn, requestOf } from '../agent.ts';
import { CLIENTS, type IssuedToken, type Scene } from './small-world.ts';

const requests = new Map<string, string>();

/** A client's request for a key, which always comes out the same: making one takes a signature. */
function requestFor(id: IdentityId, key: string): string {
  const name = `${id.name} asks for ${key}`;
  const known = requests.get(name) ?? requestOf(id, key);
  requests.set(name, known);
  return known;
}

/** One of the tokens that were ever issued to a client: the newest is 0, and there is none beyond the oldest. */
export function newestToken(scene: Scene, id: IdentityId, index = 0): IssuedToken | null {
  const tokens = [...scene.tokens.values()]
    .filter(({ identity }) => isSameIdentity(identity, id))
    .sort((a, b) => b.generation - a.generation);
  return tokens[Math.min(index, tokens.length - 1)] ?? null;
}

/** Learns every token that somebody can hold by now, and which of them were used. */
export async function noticeTokens(scene: Scene): Promise<void> {
  const { world } = scene;
  for (const id of CLIENTS) {
    const inVault = world.clientSecrets.versions(vaultTokenName(id)).map(({ value }) => value.reveal());
    const file = await makeLoginFile(world.deps, await identityOf(world, id));
    const inFile = /^token: (\S+)$/m.exec(file?.reveal() ?? '')?.[1];
    for (const text of [...inVault, ...(inFile === undefined ? [] : [inFile])]) {
      const decoded = decodeToken(text);
      assert.ok(typeof decoded !== 'string', `${id.name} was given a token that is none`);
      const tokenId = toHex(decoded.id);
      const record = await world.deps.identities.token(fromHex(tokenId));
      assert.ok(record !== null, `${id.name} was given a token without a record`);
      const { generation, expiresAt, firstUsedAt } = record.value;
      const known = scene.tokens.get(tokenId) ?? { id: tokenId, identity: id, text, generation, expiresAt };
      scene.tokens.set(tokenId, known);
      if (firstUsedAt !== null) markUsed(scene, known);
    }
  }
}

function markUsed(scene: Scene, { identity, generation }: IssuedToken): void {
  scene.used.set(identity.name, Math.max(scene.used.get(identity.name) ?? -1, generation));
}

/**
 * Logs in, and holds the answer against the laws: a token works up to its end and until a newer one was used, and
 * not one second longer; a genuine one that works is refused for reasons of the request or of the moment alone.
 * @param key names a key; null sends no request
 * @param isDisturbed true when a fault may make it fail in any way; a success must be right all the same
 * @throws the error of a login that was disturbed
 */
export async function logInAs(
  scene: Scene,
  token: IssuedToken,
  key: string | null,
  deps: Deps,
  isDisturbed = false,
): Promise<void> {
  const { world } = scene;
  const id = token.identity;
  const verdict = await verdictOn(scene, token);
  if (key !== null) presenters(scene, key).add(id.name);
  try {
    const answer = await logIn(world, token.text, key === null ? null : requestFor(id, key), deps);
    assert.equal(verdict, 'works', `a token of ${id.name} that is ${verdict} logged it in`);
    markUsed(scene, token);
    if (key !== null) {
      assert.equal(scene.keyOwners.get(key) ?? id.name, id.name, 'two identities hold one key');
      scene.keyOwners.set(key, id.name);
      scene.answered.push(certificateOf(answer));
    }
  } catch (error) {
    if (!isEverleafError(error)) throw error;
    if (isDisturbed) throw error;
    const expected = await refusals(scene, token, key, verdict);
    assert.ok(
      expected.includes(error.code),
      `a token of ${id.name} that ${verdict} was refused with ${error.code}: ${error.message}`,
    );
  }
}

function presenters(scene: Scene, key: string): Set<string> {
  const known = scene.presenters.get(key) ?? new Set<string>();
  scene.presenters.set(key, known);
  return known;
}

/** What must become of a token now, from what the laws remember and not from what the product thinks. */
async function verdictOn(scene: Scene, token: IssuedToken): Promise<'works' | 'Expired' | 'Revoked'> {
  const { revokedAt } = await identityOf(scene.world, token.identity);
  if (revokedAt !== null) return 'Revoked';
  const isOver = wholeSecond(scene.world.clock.now()) > token.expiresAt;
  const isSuperseded = token.generation < (scene.used.get(token.identity.name) ?? -1);
  return isOver || isSuperseded ? 'Expired' : 'works';
}

/** Why a login may be refused. A token that works is refused for none but these. */
async function refusals(
  scene: Scene,
  token: IssuedToken,
  key: string | null,
  verdict: string,
): Promise<readonly string[]> {
  if (verdict !== 'works') return [verdict];
  const { world } = scene;
  const now = world.clock.now();
  const identity = await identityOf(world, token.identity);
  const { notAfter } = await readActiveAuthority(world.deps);
  const isEnding = notAfter.getTime() - now.getTime() < MIN_LEAF_LIFE_MS;
  const isOthers = key !== null && presenters(scene, key).size > 1;
  const isWaiting = key === null && identity.delivery === 'vault' && identity.certificate.head === null;
  return [
    ...(key === null && identity.delivery === 'agent' ? ['InvalidInput'] : []),
    ...(isWaiting ? ['NotReady'] : []),
    // A login that died while it signed is taken over after 30 seconds, and until then it counts as running.
    ...(key !== null ? ['InProgress'] : []),
    ...(isOthers ? ['InvalidCertificateRequest'] : []),
    ...(isEnding ? ['AuthorityEnding'] : []),
    ...(scene.outage === null ? [] : ['VaultUnavailable']),
  ];
}
