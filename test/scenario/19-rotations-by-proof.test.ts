/** What a proof of a certificate's key is worth when a token is asked for with it, and what it is not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import { ensureSuccessor } from '../../shared/use-cases/ensure-successor.ts';
import { addIdentity } from '../../shared/use-cases/manage-identity.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { rotateWithProof } from '../../shared/use-cases/rotate-with-proof.ts';
import { identityOf, KMS, logIn, NODE_AGENT, requestOf } from '../support/agent.ts';
import { interceptPorts } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import { rotate, startedWorld } from '../support/operator-actions.ts';
import { firstCertificate, renew, show } from '../support/proving-agent.ts';

const TEMPLATE = {
  name: 'NodeAgent',
  clientType: 'Admin',
  delivery: 'agent',
  credentials: 'cloud',
} as const;

const generationOf = async (world: World) => (await identityOf(world, NODE_AGENT)).token.generation;

test('19 a revocation between the proof and the rotation wins, also while the rotation is being written', async () => {
  for (const isLate of [false, true]) {
    const world = await startedWorld();
    const first = await firstCertificate(world);
    const { record } = await show(world, first);
    const generation = await generationOf(world);
    let isRevoked = false;
    const revokeOnce = async () => {
      if (isRevoked) return;
      isRevoked = true;
      const what = { instance: first.answer.instance, serialNumber: null };
      await revoke(world.deps, world.run, NODE_AGENT, what, 'keyCompromise');
    };
    if (!isLate) await revokeOnce();
    const deps = interceptPorts(world.deps, async ({ port, method }, proceed) => {
      if (port === 'identities' && method === 'commit') await revokeOnce();
      return proceed();
    });
    await assert.rejects(rotateWithProof(deps, world.run, record), {
      code: 'Revoked',
      details: { reason: 'instance-revoked' },
    });
    assert.equal(await generationOf(world), generation);
  }
});

test('19 a proof is worth nothing to the identity that was made again under its name', async () => {
  const world = await startedWorld();
  const { record } = await show(world, await firstCertificate(world));
  await deleteIdentity(world.deps, world.run, NODE_AGENT);
  await addIdentity(world.deps, world.run, 'management', TEMPLATE, {});
  await assert.rejects(rotateWithProof(world.deps, world.run, record), { code: 'Revoked' });
});

test('19 a certificate that was replaced or ended since its proof gets no token', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const { record } = await show(world, first);
  const second = await renew(world, first, 'node, key 1');
  const { record: newer } = await show(world, second);
  await assert.rejects(rotateWithProof(world.deps, world.run, record), {
    code: 'Expired',
    details: { reason: 'certificate-superseded' },
  });
  await rotateWithProof(world.deps, world.run, newer);
  world.clock.advance(91 * DAY_MS);
  await assert.rejects(rotateWithProof(world.deps, world.run, newer), {
    code: 'Expired',
    details: { reason: 'certificate-expired' },
  });
});

test('19 a lock since the proof wins', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const second = await renew(world, first, 'node, key 1');
  const { record } = await show(world, second);
  await assert.rejects(renew(world, first, 'a thief'), { code: 'Locked' });
  await assert.rejects(rotateWithProof(world.deps, world.run, record), { code: 'Locked' });
});

test('19 after a cut-over no proof gets a token before the one of the login file was used', async () => {
  const world = await startedWorld();
  const { record } = await show(world, await firstCertificate(world));
  const { token } = await rotate(world, NODE_AGENT, true);
  const pending = { code: 'AccessDenied', details: { reason: 'cut-over-pending' } };
  const generation = await generationOf(world);
  await assert.rejects(rotateWithProof(world.deps, world.run, record), pending);
  world.clock.advance(60 * DAY_MS);
  await assert.rejects(rotateWithProof(world.deps, world.run, record), pending, 'nor once it is due itself');
  assert.equal(await generationOf(world), generation);
  await logIn(world, token.reveal(), requestOf(NODE_AGENT, 'node, by hand'));
  await rotateWithProof(world.deps, world.run, record);
  assert.equal(await generationOf(world), generation + 1);
});

test("19 an operator's rotation without a cut-over leaves the agent its own way", async () => {
  const world = await startedWorld();
  const { record } = await show(world, await firstCertificate(world));
  const { token } = await rotate(world, NODE_AGENT);
  const { text } = await rotateWithProof(world.deps, world.run, record);
  assert.equal(text.reveal(), token.reveal());
});

test('19 an identity whose first token nobody has used yet rotates with proof as well', async () => {
  const world = await startedWorld();
  const { token } = await rotate(world, KMS);
  const { head } = (await identityOf(world, KMS)).certificate;
  const record = await world.deps.identities.certificate(KMS, head?.serialNumber ?? '');
  assert.ok(record !== null);
  assert.equal((await rotateWithProof(world.deps, world.run, record)).text.reveal(), token.reveal());
  assert.equal((await ensureSuccessor(world.deps, world.run, KMS)).isNew, false);
});
