/** Whoever keeps writing an identity's record puts off neither a cut-over nor a lock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SECOND_MS } from '../../shared/domain/instants.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { issueLoginFile } from '../../shared/use-cases/manage-identity.ts';
import { updateIdentity } from '../../shared/use-cases/update-identity.ts';
import { identityOf, NODE_AGENT } from '../support/agent.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';
import { firstCertificate, renew, show } from '../support/proving-agent.ts';

/** Ports through which the identity is written by somebody else before each of the first commits. */
function contested(world: World, commits: number): Deps {
  let left = commits;
  return interceptPorts(world.deps, async ({ port, method }, proceed) => {
    if (port === 'identities' && method === 'commit' && left-- > 0) {
      await updateIdentity(world.deps, NODE_AGENT, (identity) => ({ identity, changes: [] }));
    }
    return proceed();
  });
}

test('19 a cut-over goes on for twenty seconds against whoever writes the same identity', async () => {
  const world = await startedWorld();
  const { generation } = (await identityOf(world, NODE_AGENT)).token;
  await issueLoginFile(contested(world, 20), world.run, NODE_AGENT, true);
  assert.equal((await identityOf(world, NODE_AGENT)).token.floorGeneration, generation + 1);
});

test('19 a cut-over that loses every race says when to come back', async () => {
  const world = await startedWorld();
  const before = world.clock.now().getTime();
  const never = contested(world, Number.POSITIVE_INFINITY);
  await assert.rejects(issueLoginFile(never, world.run, NODE_AGENT, true), {
    code: 'Conflict',
    retryable: true,
    retryAfterSeconds: 5,
  });
  const waited = world.clock.now().getTime() - before;
  assert.ok(waited >= 20 * SECOND_MS && waited <= 21 * SECOND_MS, `${waited} ms`);
});

test('19 a rotation that takes nothing away gives up sooner, without a wait', async () => {
  const world = await startedWorld();
  const before = world.clock.now().getTime();
  const never = contested(world, Number.POSITIVE_INFINITY);
  await assert.rejects(issueLoginFile(never, world.run, NODE_AGENT, false), { code: 'Conflict' });
  assert.equal(world.clock.now().getTime(), before);
});

test('19 a fork is locked though one of the two keeps using the line', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  await show(world, await renew(world, first, 'node, key 1'));
  await assert.rejects(renew(world, first, 'a thief', contested(world, 20)), { code: 'Locked' });

  const other = await startedWorld();
  const held = await firstCertificate(other);
  await show(other, await renew(other, held, 'node, key 1'));
  const never = contested(other, Number.POSITIVE_INFINITY);
  await assert.rejects(renew(other, held, 'a thief', never), { code: 'Conflict', retryAfterSeconds: 5 });
});
