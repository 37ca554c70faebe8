import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Instance } from '../../shared/domain/instance.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from '../support/agent.ts';
import { eventsOf } from '../support/events.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { firstCertificate, type Held, holding, renew, renewAsMoc, show } from '../support/proving-agent.ts';
import { keyPair } from '../unit/pki/support/keys.ts';

const SUPERSEDED = { code: 'Expired', details: { reason: 'certificate-superseded' } };

async function startedWorld(): Promise<World> {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  return world;
}

async function lineOf(world: World, held: Held): Promise<Instance> {
  const line = await world.deps.identities.instance(held.id, held.answer.instance);
  assert.ok(line !== null);
  return line.value;
}

test('17 a copied key that asks for another key locks the instance, and only that one', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const first = holding(
    NODE_AGENT,
    await logIn(world, token, requestOf(NODE_AGENT, 'node')),
    keyPair('P-256', 'node'),
  );
  const replica = holding(
    NODE_AGENT,
    await logIn(world, token, requestOf(NODE_AGENT, 'replica')),
    keyPair('P-256', 'replica'),
  );
  world.clock.advance(40 * DAY_MS);
  const second = await renew(world, first, 'node, key 1');
  await show(world, second);

  await assert.rejects(renewAsMoc(world, first, 'a thief'), {
    code: 'Locked',
    details: { reason: 'instance-locked', instance: first.answer.instance },
  });
  const locked = (await eventsOf(world, NODE_AGENT)).filter(({ type }) => type === 'instance-locked');
  assert.equal(locked.length, 1);
  assert.deepEqual(
    [locked[0]?.outcome, locked[0]?.reason, locked[0]?.target.serialNumber, locked[0]?.actor.id],
    ['denied', 'fork', first.answer.serialNumber, 'management/NodeAgent'],
  );
  assert.ok(world.lines.some((line) => line.startsWith('warn: Locked an instance of management/NodeAgent')));

  await assert.rejects(show(world, second), { code: 'Locked' });
  await assert.rejects(renew(world, second, 'node, key 2'), { code: 'Locked' });
  await assert.rejects(renew(world, first, 'node, key 1'), { code: 'Locked' });
  await assert.rejects(logIn(world, token, requestOf(NODE_AGENT, 'node')), { code: 'Locked' });
  await show(world, replica);
  await renew(world, replica, 'replica, key 1');
});

test('17 a request seen before never locks, whatever has become of its answer', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const second = await renew(world, first, 'node, key 1');
  const third = await renew(world, first, 'node, key 2');
  await show(world, third);
  const again = await renew(world, first, 'node, key 2');
  assert.equal(again.answer.certificate, third.answer.certificate);
  await assert.rejects(renew(world, first, 'node, key 1'), SUPERSEDED);
  await assert.rejects(show(world, second), SUPERSEDED);
  assert.equal((await lineOf(world, first)).lockedAt, null);
  await show(world, third);
});

test('17 another key while the successor is unused replaces it, and after seven days tells of it', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const replaced = async () =>
    (await eventsOf(world, NODE_AGENT))
      .filter(({ type }) => type === 'successor-superseded')
      .map(({ details }) => details['superseded']);
  const lost = await renew(world, first, 'attempt 1');
  world.clock.advance(7 * DAY_MS);
  const other = await renew(world, first, 'attempt 2');
  assert.deepEqual(await replaced(), []);
  world.clock.advance(7 * DAY_MS + SECOND_MS);
  const last = await renew(world, first, 'attempt 3');
  assert.deepEqual(await replaced(), [other.answer.serialNumber]);
  for (const { answer } of [lost, other, last]) assert.equal(answer.renewCount, 1);
  await assert.rejects(show(world, lost), SUPERSEDED);
  await show(world, last);
  await assertWhole(
    world,
    [lost, other, last].map(({ certificate }) => certificate),
  );
});

test('17 a successor that was replaced and asks for a new key is a fork, too', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const one = await renew(world, first, 'one');
  await renew(world, first, 'two');
  await assert.rejects(renew(world, one, 'three'), { code: 'Locked' });
});

test('17 a key that came back to an earlier one is asked for again and locks nothing', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  await renew(world, first, 'one');
  await renew(world, first, 'two');
  const back = await renew(world, first, 'one');
  await show(world, back);
  assert.equal((await lineOf(world, first)).head.serialNumber, back.answer.serialNumber);
});

test('17 a login whose answer was lost sends the certificate before it back to log in, and locks nothing', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const csr = requestOf(NODE_AGENT, 'node');
  const first = holding(NODE_AGENT, await logIn(world, token, csr), keyPair('P-256', 'node'));
  await show(world, first);
  world.clock.advance(11 * MINUTE_MS);
  await logIn(world, token, csr);
  await assert.rejects(renew(world, first, 'node, key 1'), SUPERSEDED);
  assert.equal((await lineOf(world, first)).lockedAt, null);

  const again = holding(NODE_AGENT, await logIn(world, token, csr), keyPair('P-256', 'node'));
  await show(world, again);
  await assert.rejects(
    renew(world, first, 'node, key 1'),
    { code: 'Locked' },
    'the login was used by somebody',
  );
});

test('17 a superseded certificate that asks for a key of its own line locks nothing', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const csr = requestOf(NODE_AGENT, 'node');
  const first = holding(NODE_AGENT, await logIn(world, token, csr), keyPair('P-256', 'node'));
  await show(world, first);
  world.clock.advance(11 * MINUTE_MS);
  const again = holding(NODE_AGENT, await logIn(world, token, csr), keyPair('P-256', 'node'));
  await show(world, again);
  await assert.rejects(
    renew(world, first, 'node'),
    SUPERSEDED,
    "the line's key, which is the certificate's own",
  );

  const next = await renew(world, again, 'node, key 1');
  await assert.rejects(renew(world, first, 'node, key 1'), SUPERSEDED, "the successor's key");
  await show(world, next);
  await assert.rejects(renew(world, first, 'node, key 1'), SUPERSEDED, "the head's key");
  await assert.rejects(renew(world, again, 'node'), SUPERSEDED, "the certificate's own key");
  assert.equal((await lineOf(world, first)).lockedAt, null);
  await assert.rejects(renew(world, first, 'a thief'), { code: 'Locked' });
});

test('17 a certificate that ended too long ago to be recovered locks nothing, and is told of once a minute', async () => {
  const world = await startedWorld();
  const ancient = await firstCertificate(world);
  world.clock.advance(59 * DAY_MS);
  const second = await renew(world, ancient, 'node, key 1');
  await show(world, second);
  world.clock.advance(61 * DAY_MS);
  const third = await renew(world, second, 'node, key 2');
  await show(world, third);
  const told = async () =>
    (await eventsOf(world, NODE_AGENT)).filter(({ type }) => type === 'old-certificate-refused');
  for (const owner of ['a thief', 'the same thief']) {
    await assert.rejects(renew(world, ancient, owner), SUPERSEDED);
  }
  assert.equal((await lineOf(world, third)).lockedAt, null);
  const [event, ...others] = await told();
  assert.deepEqual(
    [event?.outcome, event?.reason, event?.count, event?.target.serialNumber, others.length],
    ['denied', 'fork', 2, ancient.answer.serialNumber, 0],
  );
  world.clock.advance(MINUTE_MS);
  await assert.rejects(renew(world, ancient, 'a thief'), SUPERSEDED);
  assert.equal((await told()).length, 2);
  await assert.rejects(renew(world, second, 'a thief'), { code: 'Locked' }, 'one that has not ended');
});

test('17 of two equal requests at once one signs, and both get its certificate', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const [one, two] = await Promise.all([1, 2].map(() => renew(world, first, 'node, key 1')));
  assert.equal(one?.answer.certificate, two?.answer.certificate);
  await assertWhole(world, [one?.certificate ?? new Uint8Array()]);
});

test('17 of two different requests at once the one that was recorded last counts', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const both = await Promise.all([renew(world, first, 'one'), renew(world, first, 'two')]);
  const { successor } = await lineOf(world, first);
  const last = both.find(({ answer }) => answer.serialNumber === successor?.serialNumber);
  assert.ok(last !== undefined);
  await show(world, last);
  await assertWhole(
    world,
    both.map(({ certificate }) => certificate),
  );
});

test('17 a lock, or the first use of the successor, while another is being signed, wins', async () => {
  for (const [between, refusal] of [
    ['lock', { code: 'Locked' }],
    ['use', SUPERSEDED],
  ] as const) {
    const world = await startedWorld();
    const first = await firstCertificate(world);
    const second = await renew(world, first, 'node, key 1');
    const signer: World['deps']['signer'] = {
      sign: async (...args) => {
        await show(world, second);
        if (between === 'lock') await assert.rejects(renew(world, first, 'a thief'), { code: 'Locked' });
        return world.deps.signer.sign(...args);
      },
    };
    await assert.rejects(renew(world, first, 'node, key 2', { ...world.deps, signer }), refusal);
    const line = await lineOf(world, first);
    assert.equal(line.head.serialNumber, second.answer.serialNumber);
    assert.equal(line.successor, null);
    assert.equal(line.lockedAt === null, between === 'use');
  }
});

/** What one honest agent may do with the certificate that it holds, and what may happen to the answer. */
type Move =
  | { readonly does: 'show' }
  | { readonly does: 'renew'; readonly key: number; readonly way: 'signed' | 'moc'; readonly isLost: boolean }
  | { readonly does: 'wait'; readonly hours: number };

const MOVE: fc.Arbitrary<Move> = fc.oneof(
  fc.record({ does: fc.constant('show' as const) }),
  fc.record({
    does: fc.constant('renew' as const),
    key: fc.integer({ min: 0, max: 4 }),
    way: fc.constantFrom('signed' as const, 'moc' as const),
    isLost: fc.boolean(),
  }),
  fc.record({ does: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 24 * 8 }) }),
);

test('17 whatever one honest agent does and however many answers are lost, it is never locked out', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(MOVE, { minLength: 1, maxLength: 14 }), async (moves) => {
      const world = await startedWorld();
      let held = await firstCertificate(world);
      for (const move of moves) {
        if (move.does === 'show') await show(world, held);
        else if (move.does === 'wait') world.clock.advance(move.hours * HOUR_MS);
        else {
          const owner = `node, key ${move.key}`;
          const next = await (move.way === 'moc' ? renewAsMoc : renew)(world, held, owner);
          if (!move.isLost) held = next;
        }
        // An agent that was off for longer than a certificate lives is another story.
        if (world.clock.now() > new Date(held.answer.renewAfter)) held = await renew(world, held, 'in time');
      }
      await show(world, held);
      const line = await lineOf(world, held);
      assert.equal(line.lockedAt, null);
      assert.equal(line.head.serialNumber, held.answer.serialNumber);
    }),
    { numRuns: 25 },
  );
});
