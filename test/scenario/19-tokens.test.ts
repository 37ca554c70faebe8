/** Rotations by operators and agents, tokens for so many logins, and what a client of the vault gets of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromHex } from '../../shared/domain/encoding.ts';
import { DAY_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import { ensureSuccessor } from '../../shared/use-cases/ensure-successor.ts';
import { changeIdentity } from '../../shared/use-cases/manage-identity.ts';
import { revokeIdentity } from '../../shared/use-cases/revoke.ts';
import { rotateWithProof } from '../../shared/use-cases/rotate-with-proof.ts';
import {
  identityOf,
  KMS,
  logIn,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
  tokenFromVault,
} from '../support/agent.ts';
import { assertDueRows, assertWhole } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { nodeWithCertificate, prove, rotate, startedWorld } from '../support/operator-actions.ts';

const request = (owner: string) => requestOf(NODE_AGENT, owner);
const superseded = { code: 'Expired', details: { reason: 'token-superseded' } };
const usedUp = { code: 'Expired', details: { reason: 'token-used-up' } };

const limitUses = (world: World, tokenMaxUses: number | null) =>
  changeIdentity(world.deps, world.run, NODE_AGENT, { tokenMaxUses }, 'any');

test('19 a rotation answers the same token again while that is unused and not due', async () => {
  const world = await startedWorld();
  const first = await tokenFromLoginFile(world, NODE_AGENT);
  const asked = await rotate(world, NODE_AGENT);
  assert.equal(asked.token.reveal(), first);
  assert.match(asked.yaml.reveal(), new RegExp(`^token: ${first}$`, 'm'));
  world.clock.advance(30 * DAY_MS);
  assert.equal((await rotate(world, NODE_AGENT)).token.reveal(), first);

  world.clock.advance(16 * DAY_MS);
  const due = await rotate(world, NODE_AGENT);
  assert.notEqual(due.token.reveal(), first);
  assert.equal((await identityOf(world, NODE_AGENT)).token.generation, 1);
  await logIn(world, first, request('node'));
  await logIn(world, due.token.reveal(), request('node'));
  await assert.rejects(logIn(world, first, request('node')), superseded);
});

test('19 a used token gets a successor, which both logins of an overlap may come before', async () => {
  const world = await startedWorld();
  const { token } = await nodeWithCertificate(world);
  const next = (await rotate(world, NODE_AGENT)).token.reveal();
  assert.notEqual(next, token);
  assert.equal((await rotate(world, NODE_AGENT)).token.reveal(), next);
  await logIn(world, token, request('another'));
  await logIn(world, next, request('node'));
  await assert.rejects(logIn(world, token, request('node')), superseded);
  await assertDueRows(world);
});

test('19 a cut-over ends every earlier token at once, used or not', async () => {
  const world = await startedWorld();
  const first = await tokenFromLoginFile(world, NODE_AGENT);
  const next = (await rotate(world, NODE_AGENT, true)).token.reveal();
  assert.notEqual(next, first);
  await assert.rejects(logIn(world, first, request('node')), superseded);
  await logIn(world, next, request('node'));
  const again = (await rotate(world, NODE_AGENT, true)).token.reveal();
  await assert.rejects(logIn(world, next, request('node')), superseded);
  await logIn(world, again, request('node'));
});

test('19 a forced rotation makes one more token, and once only where it names what it replaces', async () => {
  const world = await startedWorld();
  const { generation } = (await identityOf(world, NODE_AGENT)).token;
  const force = () => ensureSuccessor(world.deps, world.run, NODE_AGENT, { isForced: true, generation });
  const first = await force();
  assert.deepEqual([first.isNew, first.token.generation], [true, generation + 1]);
  const resumed = await force();
  assert.deepEqual([resumed.isNew, resumed.text.reveal()], [false, first.text.reveal()]);
  const later = await ensureSuccessor(world.deps, world.run, NODE_AGENT, { isForced: true });
  assert.equal(later.token.generation, generation + 2);
});

test('19 a token that an operator rotates comes into the vault as well, and the client there goes on with it', async () => {
  const world = await startedWorld();
  const old = tokenFromVault(world, KMS);
  const next = (await rotate(world, KMS, true)).token.reveal();
  assert.equal(tokenFromVault(world, KMS), old, 'the vault has it before the queue came by');
  await assert.rejects(logIn(world, old, null), superseded);
  await world.tick();
  assert.equal(tokenFromVault(world, KMS), next);
  await logIn(world, next, null);
  await assertWhole(world);
});

test('19 a token of the vault that was used before it came there makes way for one that is not', async () => {
  const world = await startedWorld();
  await logIn(world, tokenFromVault(world, KMS), null);
  const next = (await rotate(world, KMS)).token.reveal();
  await logIn(world, next, requestOf(KMS, 'replica'));
  await world.tick();
  const delivered = tokenFromVault(world, KMS);
  assert.notEqual(delivered, next);
  await logIn(world, delivered, null);
  await assertWhole(world);
});

test('19 an agent rotates its token with a proof of its key', async () => {
  const world = await startedWorld();
  const { token, certificate } = await nodeWithCertificate(world);
  const { record } = await prove(world, certificate, 'node');
  const { text } = await rotateWithProof(world.deps, world.run, record);
  const lost = await rotateWithProof(world.deps, world.run, record);
  assert.equal(lost.text.reveal(), text.reveal());
  await logIn(world, text.reveal(), request('node'));
  await assert.rejects(logIn(world, token, request('node')), superseded);
});

test('19 nobody gets a token for an identity that is revoked', async () => {
  const world = await startedWorld();
  await revokeIdentity(world.deps, world.run, NODE_AGENT, 'unspecified');
  await assert.rejects(rotate(world, NODE_AGENT), { code: 'IdentityRevoked' });
  await assert.rejects(rotate(world, NODE_AGENT, true), { code: 'IdentityRevoked' });
});

test('19 a token for one login logs in once, and its lost answer can be repeated for ten minutes', async () => {
  const world = await startedWorld();
  await limitUses(world, 1);
  const token = (await rotate(world, NODE_AGENT, true)).token.reveal();
  const first = await logIn(world, token, request('node'));
  await assert.rejects(logIn(world, token, request('thief')), usedUp);
  await assert.rejects(logIn(world, token, 'no request'), usedUp);
  await assert.rejects(logIn(world, token, null), usedUp);
  world.clock.advance(10 * MINUTE_MS - 1);
  assert.equal((await logIn(world, token, request('node'))).certificate, first.certificate);
  world.clock.advance(1);
  await assert.rejects(logIn(world, token, request('node')), usedUp);
  assert.equal((await world.deps.identities.instances(NODE_AGENT)).length, 1);
});

test('19 a token for two logins counts certificates, and not repeated answers', async () => {
  const world = await startedWorld();
  await limitUses(world, 2);
  const token = (await rotate(world, NODE_AGENT, true)).token.reveal();
  for (let time = 0; time < 3; time++) await logIn(world, token, request('node'));
  await logIn(world, token, request('another'));
  await assert.rejects(logIn(world, token, request('a third')), usedUp);
  const { id } = (await identityOf(world, NODE_AGENT)).token;
  assert.equal((await world.deps.identities.token(fromHex(id)))?.value.uses, 2);
});

test('19 of two that use a token for one login at the same time one gets in', async () => {
  const world = await startedWorld();
  await limitUses(world, 1);
  const token = (await rotate(world, NODE_AGENT, true)).token.reveal();
  const answers = await Promise.allSettled(['one', 'two'].map((key) => logIn(world, token, request(key))));
  assert.deepEqual(answers.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.equal((await world.deps.identities.instances(NODE_AGENT)).length, 1);
});

test('19 looking up a certificate in the vault uses up nothing', async () => {
  const world = await startedWorld();
  await changeIdentity(world.deps, world.run, KMS, { tokenMaxUses: 1 }, 'any');
  const token = (await rotate(world, KMS, true)).token.reveal();
  for (let time = 0; time < 3; time++) await logIn(world, token, null);
  await logIn(world, token, requestOf(KMS, 'replica'));
  await assert.rejects(logIn(world, token, null), usedUp);
});
