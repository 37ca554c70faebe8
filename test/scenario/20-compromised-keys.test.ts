/** A key that others have is worth nothing, whichever of its certificates was revoked for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { encodePem } from '../../shared/pki/pem.ts';
import { checkAccess } from '../../shared/use-cases/check-access.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { identityOf, NODE_AGENT } from '../support/agent.ts';
import type { World } from '../support/memory-world.ts';
import { startedWorld } from '../support/operator-actions.ts';
import { firstCertificate, type Held, renew, show } from '../support/proving-agent.ts';

const ALL = { instance: null, serialNumber: null };
const certificateRevoked = { code: 'Revoked', details: { reason: 'certificate-revoked' } };

function compromise(world: World, { id, answer: { serialNumber } }: Held) {
  return revoke(world.deps, world.run, id, { ...ALL, serialNumber }, 'keyCompromise');
}

test('20 a compromised key ends every certificate for it, and not only the one that was named', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  world.clock.advance(40 * DAY_MS);
  const second = await renew(world, first, 'node');
  await show(world, second);
  await compromise(world, first);
  await assert.rejects(show(world, second), certificateRevoked);
  await assert.rejects(renew(world, second, 'a fresh key'), certificateRevoked);
  const question = { identity: null, action: 'identity/read', scope: '/' };
  const certificate = encodePem('CERTIFICATE', second.certificate);
  const { reason } = await checkAccess(world.deps, { ...question, certificate });
  assert.equal(reason, 'The certificate is revoked.');
});

test('20 a successor for a compromised key is worth as little as its head, be it proven or not', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const successor = await renew(world, first, 'node');
  await compromise(world, first);
  await assert.rejects(show(world, successor), certificateRevoked);
});

test('20 a line whose earlier key was compromised goes on with the key that it has now', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const second = await renew(world, first, 'another key');
  await show(world, second);
  await compromise(world, first);
  await show(world, second);
  assert.equal(
    (await identityOf(world, NODE_AGENT)).certificate.head?.serialNumber,
    second.answer.serialNumber,
  );
});
