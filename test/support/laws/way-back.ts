import assert from 'node:assert/strict';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/domain/instants.ts';
import type { IdentityId } from '../../../shared/domain/names.ts';
import { MIN_LEAF_LIFE_MS } from '../../../shared/domain/policy.ts';
import { readActiveAuthority } from '../../../shared/use-cases/authorities.ts';
import { getStatus } from '../../../shared/use-cases/get-status.ts';
import type { IdentityStatus } from '../../../shared/use-cases/judge-identity.ts';
import { KMS } from '../agent.ts';
import { assertWhole } from '../inspect-world.ts';
import { logInAs, newestToken, noticeTokens } from './logins.ts';
import { depsOf, type Scene } from './small-world.ts';

const TICK_MS = 15 * MINUTE_MS;
/** The longest wait for a retry is six hours, a lost message comes up again after one, and a certificate may follow a token. */
const BOUND_MS = 9 * HOUR_MS;
/** An unfinished login that nobody works on is taken over after 30 seconds. */
const TAKE_OVER_MS = 31 * SECOND_MS;

export async function statusOf(scene: Scene, id: IdentityId): Promise<IdentityStatus> {
  const query = { cluster: id.cluster, state: null, limit: 10, cursor: null };
  const { identities } = await getStatus(depsOf(scene), query);
  const found = identities.find(({ identity }) => identity.name === id.name);
  assert.ok(found !== undefined, `status does not know ${id.name}`);
  return found;
}

/**
 * Does what status tells, until there is nothing left to do: with a vault that works, an identity is Healthy again
 * within hours, whatever happened to it. An operator's rotation is not the client's own way back, nor is anything possible
 * on an authority's last day, so there the way ends. What an agent can renew or recover with proof of its key it gets by a
 * login here, as long as its token works.
 */
export async function takeWayBack(scene: Scene, id: IdentityId): Promise<void> {
  scene.outage = null;
  const { clock } = scene.world;
  const startedAt = clock.now().getTime();
  const trail: string[] = [];
  for (let logins = 0; ; ) {
    await noticeTokens(scene);
    const { state, nextStep } = await statusOf(scene, id);
    const told = `${state}: ${nextStep.action}. ${nextStep.text}`;
    if (trail.at(-1)?.endsWith(told) !== true) trail.push(`${clock.now().toISOString()} ${told}`);
    if (state === 'Healthy' || state === 'Revoked' || nextStep.action === 'operator-rotate') break;
    if (!(await isAuthorityAlive(scene))) return;
    const story = `${id.name} found no way back:\n${trail.join('\n')}`;
    assert.ok(clock.now().getTime() - startedAt <= BOUND_MS, story);
    if (nextStep.action === 'wait') {
      clock.advance(TICK_MS);
      await scene.world.tick(depsOf(scene));
    } else {
      assert.match(nextStep.action, /^agent-/, story);
      if (nextStep.action === 'agent-recover' && state === 'BothExpired') return;
      const token = newestToken(scene, id);
      assert.ok(token !== null && logins < 3, story);
      // The first try may meet the trace of a login that died with the same key; nobody else ever has a new key.
      await logInAs(scene, token, `${id.name} comes back ${logins++}`, depsOf(scene));
      clock.advance(TAKE_OVER_MS);
    }
  }
  if (id.name === KMS.name) await assertReadable(scene);
}

/** What a healthy client finds in the vault is the certificate and the token that the record speaks of, and works. */
async function assertReadable(scene: Scene): Promise<void> {
  if ((await statusOf(scene, KMS)).state !== 'Healthy') return;
  await assertWhole(scene.world, scene.answered);
  const token = newestToken(scene, KMS);
  assert.ok(token !== null);
  await logInAs(scene, token, null, depsOf(scene));
  assert.equal(scene.used.get(KMS.name), token.generation, 'the token from the vault does not log in');
}

async function isAuthorityAlive({ world }: Scene): Promise<boolean> {
  const { notAfter } = await readActiveAuthority(world.deps);
  return notAfter.getTime() - world.clock.now().getTime() > MIN_LEAF_LIFE_MS + BOUND_MS;
}
