/** A worker that is slow to write into the vault, while the record goes on without it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { revokeIdentity } from '../../shared/use-cases/revoke.ts';
import { rotateToken } from '../../shared/use-cases/rotate-token.ts';
import { identityOf, KMS, logIn, requestOf, tokenFromVault } from '../support/agent.ts';
import { assertDueRows, assertWhole } from '../support/inspect-world.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { rotate, startedWorld } from '../support/operator-actions.ts';

const generationOf = async (world: World) => (await identityOf(world, KMS)).token.generation;

/** Ports through which something happens around the worker's first write of a token. */
function slowly(world: World, happens: { before?: () => Promise<void>; after?: () => Promise<void> }): Deps {
  let isFirst = true;
  return interceptPorts(world.deps, async ({ port, method }, proceed) => {
    if (port !== 'clientSecrets' || method !== 'write' || !isFirst) return proceed();
    isFirst = false;
    await happens.before?.();
    const answer = await proceed();
    await happens.after?.();
    return answer;
  });
}

/** Something that one worker waits for until another one has come so far. */
function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}

/** An operator's cut-over, which another worker has delivered already. */
async function cutOverAndDeliver(world: World): Promise<void> {
  await rotate(world, KMS, true);
  await rotateToken(world.deps, world.run, KMS, await generationOf(world));
}

async function assertNewestInVault(world: World): Promise<void> {
  await logIn(world, tokenFromVault(world, KMS), null);
  assert.notEqual((await identityOf(world, KMS)).token.vaultVersion, null);
  await assertDueRows(world);
  await assertWhole(world);
}

test('19 a worker that writes an ended token over the newest one puts the newest in front again', async () => {
  const world = await startedWorld();
  await rotate(world, KMS, true);
  const late = await generationOf(world);
  const deps = slowly(world, { before: () => cutOverAndDeliver(world) });
  assert.equal(await rotateToken(deps, world.run, KMS, late), 'rotated');
  assert.equal(await generationOf(world), late + 1);
  await assertNewestInVault(world);
});

test('19 so it does while another worker is between its own write and its note of it', async () => {
  const world = await startedWorld();
  await rotate(world, KMS, true);
  const late = await generationOf(world);
  const written = gate();
  const lateIsDone = gate();
  const other = slowly(world, {
    after: () => {
      written.open();
      return lateIsDone.passed;
    },
  });
  let otherWorker: Promise<unknown> = Promise.resolve();
  const deps = slowly(world, {
    before: async () => {
      await rotate(world, KMS, true);
      otherWorker = rotateToken(other, world.run, KMS, late + 1);
      await written.passed;
    },
  });
  assert.equal(await rotateToken(deps, world.run, KMS, late), 'rotated');
  lateIsDone.open();
  assert.equal(await otherWorker, 'rotated');
  await assertNewestInVault(world);
});

test('19 where the newest token was used before its turn came, another one is made', async () => {
  const world = await startedWorld();
  await rotate(world, KMS, true);
  const late = await generationOf(world);
  const deps = slowly(world, {
    before: async () => {
      await cutOverAndDeliver(world);
      await logIn(world, tokenFromVault(world, KMS), requestOf(KMS, 'replica'));
    },
  });
  assert.equal(await rotateToken(deps, world.run, KMS, late), 'rotated');
  assert.equal(await generationOf(world), late + 2);
  await assertNewestInVault(world);
});

test('19 a worker that dies after its late write leaves the newest token due', async () => {
  const world = await startedWorld();
  await rotate(world, KMS, true);
  const late = await generationOf(world);
  let writes = 0;
  const slow = slowly(world, { before: () => cutOverAndDeliver(world) });
  const dying = interceptPorts(slow, async ({ port, method }, proceed) => {
    if (port === 'clientSecrets' && method === 'write' && ++writes === 2) throw new Error('killed');
    return proceed();
  });
  await assert.rejects(rotateToken(dying, world.run, KMS, late), /killed/);
  await world.tick();
  await assertNewestInVault(world);
});

test('19 nothing more is delivered where the identity was revoked meanwhile', async () => {
  const world = await startedWorld();
  await rotate(world, KMS, true);
  const late = await generationOf(world);
  const deps = slowly(world, {
    before: async () => {
      await rotate(world, KMS, true);
      await revokeIdentity(world.deps, world.run, KMS, 'unspecified');
    },
  });
  assert.equal(await rotateToken(deps, world.run, KMS, late), 'nothing-to-do');
  await assert.rejects(logIn(world, tokenFromVault(world, KMS), null), { code: 'Revoked' });
});

test('19 a record that moves on at every delivery is left to the next try', async () => {
  const world = await startedWorld();
  await rotate(world, KMS, true);
  const late = await generationOf(world);
  const deps = interceptPorts(world.deps, async ({ port, method }, proceed) => {
    if (port === 'clientSecrets' && method === 'write') await rotate(world, KMS, true);
    return proceed();
  });
  await assert.rejects(rotateToken(deps, world.run, KMS, late), { code: 'Conflict', retryable: true });
  await world.tick();
  await assertNewestInVault(world);
});
