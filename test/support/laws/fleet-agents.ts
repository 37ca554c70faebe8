import assert from 'node:assert/strict';
import { type IdentityId, identityText } from '../../../shared/domain/names.ts';
import { acknowledgeBundle } from '../../../shared/use-cases/acknowledge-bundle.ts';
import { readTrustBundle } from '../../../shared/use-cases/authorities.ts';
import type { Deps } from '../../../shared/use-cases/deps.ts';
import { ensureSuccessor } from '../../../shared/use-cases/ensure-successor.ts';
import { keyPair } from '../../unit/pki/support/keys.ts';
import { identityOf, logIn, requestOf, tokenFromLoginFile, tokenFromVault } from '../agent.ts';
import type { World } from '../memory-world.ts';
import { type Held, holding, renew, show } from '../proving-agent.ts';
import { type AgentDeed, FLEET } from './fleet-events.ts';
import type { FleetMemory } from './fleet-memory.ts';

const requests = new Map<string, string>();

function requestFor(id: IdentityId, owner: string): string {
  const known = requests.get(owner) ?? requestOf(id, owner);
  requests.set(owner, known);
  return known;
}

/**
 * What an agent does with what it has. It keeps what it was answered, and nothing of what it was not.
 * @param isHeard whether the answer arrives
 */
export async function doAsAgent(
  world: World,
  memory: FleetMemory,
  deed: AgentDeed,
  deps: Deps,
  isHeard: boolean,
): Promise<void> {
  const id = FLEET[deed.client];
  assert.ok(id !== undefined);
  const mine = memory.of(id);
  if (deed.do === 'login') return login(world, memory, deed, id, deps, isHeard);
  const { held } = mine;
  if (held === null) return;
  if (deed.do === 'be-robbed') return beRobbed(world, memory, held, deps);
  const isDead = memory.isDead(held);
  if (deed.do === 'renew') {
    if (deed.key === 'new') mine.keys += 1;
    const next = await renew(world, held, ownerOf(id, mine.keys), deps);
    assert.equal(next.answer.renewCount, held.answer.renewCount + 1, 'a renewal counts one more');
    if (isHeard) mine.held = next;
  } else {
    const { identity, record } = await show(world, held, deps);
    if (deed.do === 'acknowledge') {
      await acknowledgeBundle(deps, world.run, record, (await readTrustBundle(deps)).id);
    }
    if (deed.do === 'ask-token') {
      const { text } = await ensureSuccessor(deps, world.run, identity);
      if (isHeard) mine.tokens.push(text.reveal());
    }
  }
  assert.ok(!isDead, `${identityText(id)} was let in with a certificate that is revoked`);
}

/** A thief copies the key, or, having it, asks for another one with it. */
async function beRobbed(world: World, memory: FleetMemory, held: Held, deps: Deps): Promise<void> {
  const mine = memory.of(held.id);
  if (mine.copied !== null) {
    await renew(world, mine.copied, `a thief of ${identityText(held.id)}`, deps);
    return;
  }
  mine.copied = held;
  memory.stolenLines.add(lineOf(held));
}

async function login(
  world: World,
  memory: FleetMemory,
  { token, key }: AgentDeed & { do: 'login' },
  id: IdentityId,
  deps: Deps,
  isHeard: boolean,
): Promise<void> {
  const mine = memory.of(id);
  if (mine.tokens.length === 0) await findFirst(world, memory, id);
  const text = mine.tokens.at(-1 - token);
  if (text === undefined) return;
  if (key === 'new' || mine.held === null) mine.keys += 1;
  const owner = ownerOf(id, mine.keys);
  const answer = await logIn(world, text, requestFor(id, owner), deps);
  if (isHeard) mine.held = holding(id, answer, keyPair('P-256', owner));
}

/** The token that a client of the small world begins with. */
async function findFirst(world: World, memory: FleetMemory, id: IdentityId): Promise<void> {
  if (id.cluster !== 'management') return;
  const { delivery, token } = await identityOf(world, id);
  if (delivery === 'vault' && token.vaultVersion === null) return;
  const text = delivery === 'vault' ? tokenFromVault(world, id) : await tokenFromLoginFile(world, id);
  memory.of(id).tokens.push(text);
}

function ownerOf(id: IdentityId, key: number): string {
  return `${identityText(id)} ${key}`;
}

function lineOf({ id, answer }: Held): string {
  return `${identityText(id)} ${answer.instance}`;
}
