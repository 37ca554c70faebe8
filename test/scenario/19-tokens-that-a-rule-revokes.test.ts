/** A rule about what was issued before a moment ends tokens that the record still calls fresh. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '../../shared/domain/instants.ts';
import { createRevocationRule } from '../../shared/use-cases/revocation-rules.ts';
import { rotateToken } from '../../shared/use-cases/rotate-token.ts';
import { identityOf, KMS, logIn, NODE_AGENT, requestOf, tokenFromVault } from '../support/agent.ts';
import { assertWhole } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { rotate, startedWorld } from '../support/operator-actions.ts';

/** An hour after the start, a rule about all that was issued before, and an hour more. */
async function worldWithRule(): Promise<World> {
  const world = await startedWorld();
  world.clock.advance(HOUR_MS);
  const everything = { clientType: null, cluster: 'management', dnsName: null };
  const criteria = { ...everything, issuedBefore: world.clock.now() };
  await createRevocationRule(world.deps, world.run, criteria, 'keyCompromise');
  world.clock.advance(HOUR_MS);
  return world;
}

test('19 an operator never gets a token that a rule has revoked', async () => {
  const world = await worldWithRule();
  const { token } = await rotate(world, NODE_AGENT);
  await logIn(world, token.reveal(), requestOf(NODE_AGENT, 'node'));
});

test('19 a token in the vault that a rule revokes is replaced there, though it is not due', async () => {
  const world = await worldWithRule();
  const { generation } = (await identityOf(world, KMS)).token;
  const revoked = tokenFromVault(world, KMS);
  await assert.rejects(logIn(world, revoked, requestOf(KMS, 'replica')), { code: 'Revoked' });
  assert.equal(await rotateToken(world.deps, world.run, KMS, generation), 'rotated');
  await logIn(world, tokenFromVault(world, KMS), requestOf(KMS, 'replica'));
  assert.equal(await rotateToken(world.deps, world.run, KMS, generation), 'nothing-to-do');
  await assertWhole(world);
});

test('19 a token that a rule revokes before the vault has it makes way for one that is not', async () => {
  const world = await startedWorld();
  await rotate(world, KMS, true);
  const { generation } = (await identityOf(world, KMS)).token;
  world.clock.advance(HOUR_MS);
  const criteria = { clientType: null, cluster: 'management', dnsName: null };
  await createRevocationRule(
    world.deps,
    world.run,
    { ...criteria, issuedBefore: world.clock.now() },
    'keyCompromise',
  );
  await rotateToken(world.deps, world.run, KMS, generation);
  await logIn(world, tokenFromVault(world, KMS), requestOf(KMS, 'replica'));
  await assertWhole(world);
});
