/** What one valid credential can make the record keep for good: no more in an hour than the limit of its identity. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { acknowledgeBundle } from '../../shared/use-cases/acknowledge-bundle.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { issueLoginFile } from '../../shared/use-cases/manage-identity.ts';
import { rotateWithProof } from '../../shared/use-cases/rotate-with-proof.ts';
import { identityOf, KMS, logIn, NODE_AGENT, requestOf, tokenFromVault } from '../support/agent.ts';
import { eventsOf } from '../support/events.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { firstCertificate, show } from '../support/proving-agent.ts';

async function startedWorld(issuancesPerIdentity: number): Promise<World> {
  const world = memoryWorld({ issuancesPerIdentity });
  await firstStart(world.deps, world.run);
  return world;
}

const tooMany = { code: 'TooManyRequests', retryable: true };
const bundleOf = (digit: string) => digit.repeat(64);

test('26 an agent that keeps changing its word about the trust bundle is turned away', async () => {
  const world = await startedWorld(4);
  const { record } = await show(world, await firstCertificate(world));
  const say = (digit: string) => acknowledgeBundle(world.deps, world.run, record, bundleOf(digit));
  for (const digit of ['a', 'b', 'a']) await say(digit);
  const before = (await eventsOf(world, NODE_AGENT)).length;
  await assert.rejects(say('b'), tooMany);
  assert.equal((await say('a')).current, false, 'what is known already costs nothing');
  assert.equal((await eventsOf(world, NODE_AGENT)).length, before);
  world.clock.advance(HOUR_MS);
  await say('b');
});

test('26 logins without a request are written down when they are news, and once in an hour', async () => {
  const world = await startedWorld(200);
  const token = tokenFromVault(world, KMS);
  const logins = async () => (await eventsOf(world, KMS)).filter(({ type }) => type === 'login').length;
  for (let time = 0; time < 3; time++) await logIn(world, token, null);
  assert.equal(await logins(), 1, "the token's first use");
  const { deps, calls } = recordCalls(world.deps);
  await logIn(world, token, null, deps);
  assert.equal(calls.includes('identities.commit'), false);
  world.clock.advance(HOUR_MS);
  await logIn(world, token, null);
  assert.equal(await logins(), 1);
  world.clock.advance(SECOND_MS);
  await logIn(world, token, null);
  assert.equal(await logins(), 2);
  assert.deepEqual((await identityOf(world, KMS)).lastSeenAt, world.clock.now());
});

test('26 a login that changes nothing is let in although the limit is reached, and one that makes news is not', async () => {
  const world = await startedWorld(1);
  const token = tokenFromVault(world, KMS);
  await logIn(world, token, null);
  await logIn(world, token, null);
  const { token: next } = await issueLoginFile(world.deps, world.run, KMS, false);
  await assert.rejects(logIn(world, next.reveal(), null), tooMany);
  world.clock.advance(HOUR_MS);
  await logIn(world, next.reveal(), null);
});

test('26 rotating and logging in by turns makes no tokens without end, and an operator is not held up by it', async () => {
  const world = await startedWorld(5);
  const { record } = await show(world, await firstCertificate(world));
  const rotate = () => rotateWithProof(world.deps, world.run, record);
  for (const key of ['one', 'two']) {
    const { text } = await rotate();
    assert.equal((await rotate()).text.reveal(), text.reveal(), 'the same answer is not counted again');
    await logIn(world, text.reveal(), requestOf(NODE_AGENT, key));
  }
  const { generation } = (await identityOf(world, NODE_AGENT)).token;
  await assert.rejects(rotate(), tooMany);
  assert.equal((await identityOf(world, NODE_AGENT)).token.generation, generation);
  await issueLoginFile(world.deps, world.run, NODE_AGENT, false);
  assert.equal((await identityOf(world, NODE_AGENT)).token.generation, generation + 1);
});
