import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isEverleafError } from '../../shared/domain/errors.ts';
import { DAY_MS, HOUR_MS, toInstant } from '../../shared/domain/instants.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import { checkHealth } from '../../shared/use-cases/check-health.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { identityOf, KMS, logIn, NODE_AGENT, requestOf, tokenFromLoginFile } from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

/** An authority that outlives its clients' first certificates by little, and tokens that last. */
async function worldOfShortAuthority(days: number): Promise<World> {
  const world = memoryWorld({ authorityValidityDays: days, tokenValidityDays: 365 });
  await firstStart(world.deps, world.run);
  return world;
}

test('08 a certificate that would outlive its authority is cut to the end of it, and says so', async () => {
  const world = await worldOfShortAuthority(100);
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const whole = await logIn(world, token, requestOf(NODE_AGENT, 'node'));
  assert.deepEqual(whole.warnings, []);

  world.clock.advance(50 * DAY_MS);
  const cut = await logIn(world, token, requestOf(NODE_AGENT, 'node'));
  assert.equal(cut.notAfter, toInstant((await readActiveAuthority(world.deps)).notAfter));
  assert.deepEqual(cut.warnings, [
    'The certificate ends earlier than usual, together with the authority that signed it.',
  ]);
  // It renews within its own, shorter life.
  const life = Date.parse(cut.notAfter) - world.clock.now().getTime();
  const renewAfter = Date.parse(cut.renewAfter) - world.clock.now().getTime();
  assert.ok(renewAfter >= life * 0.4 - 1000 && renewAfter <= life * 0.5);
});

test('08 a certificate that ends with its authority to the second is whole, and one second later it is cut', async () => {
  const world = await worldOfShortAuthority(100);
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  world.clock.advance(10 * DAY_MS);
  const whole = await logIn(world, token, requestOf(NODE_AGENT, 'node'));
  assert.equal(whole.notAfter, toInstant((await readActiveAuthority(world.deps)).notAfter));
  assert.deepEqual(whole.warnings, []);
  world.clock.advance(1000);
  const cut = await logIn(world, token, requestOf(NODE_AGENT, 'another node'));
  assert.equal(cut.notAfter, whole.notAfter);
  assert.equal(cut.warnings.length, 1);
});

/** The authority vault is out: no successor can be made. */
async function tickWithoutSuccessor(world: World): Promise<void> {
  const deps = refuseCalls(world.deps, ({ port }) => port === 'authorityVault');
  await world.tick(deps).catch((error) => assert.ok(isEverleafError(error, 'VaultUnavailable')));
  // The timer has failed; what it put on the queue is done all the same.
  for (const item of world.queue.takeAll()) await doWork(deps, world.run, item);
}

test('08 with less than a day left and no successor to be had nothing is issued, and everybody is told why', async () => {
  const world = await worldOfShortAuthority(100);
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  world.clock.advance(99 * DAY_MS - 1000);
  await logIn(world, token, requestOf(NODE_AGENT, 'node'));
  assert.deepEqual(await checkHealth(world.deps), { healthy: true, codes: [] });

  world.clock.advance(1000);
  await assert.rejects(logIn(world, token, requestOf(NODE_AGENT, 'another node')), {
    code: 'AuthorityEnding',
    message: /less than a day from now/,
  });
  assert.deepEqual(await checkHealth(world.deps), { healthy: false, codes: ['AuthorityEnding'] });

  await tickWithoutSuccessor(world);
  const { failure } = (await identityOf(world, KMS)).certificate;
  assert.equal(failure?.code, 'AuthorityEnding');
  const status = await getStatus(world.deps, { cluster: null, state: null, limit: 1, cursor: null });
  assert.ok(status.reasons.some(({ code }) => code === 'AuthorityNeedsSuccessor'));
});

test('08 without a successor cut certificates are renewed ever closer to the end, and all end with the authority', async () => {
  const world = await worldOfShortAuthority(100);
  const { notAfter } = await readActiveAuthority(world.deps);
  while (world.clock.now() < notAfter) {
    const { head } = (await identityOf(world, KMS)).certificate;
    assert.ok(head !== null && head.notAfter >= world.clock.now());
    assert.ok(head.notAfter <= notAfter);
    world.clock.advance(6 * HOUR_MS);
    await tickWithoutSuccessor(world);
  }
  const { head, generation } = (await identityOf(world, KMS)).certificate;
  assert.deepEqual(head?.notAfter, notAfter);
  assert.ok(generation < 15, `${generation} certificates for one client: a storm`);
});
