/** What becomes of the responders that sign OCSP answers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { vaultResponderName } from '../../shared/domain/names.ts';
import { answerOcsp } from '../../shared/use-cases/answer-ocsp.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import { getPlan } from '../../shared/use-cases/get-plan.ts';
import { getStatus } from '../../shared/use-cases/get-status.ts';
import { renewResponders } from '../../shared/use-cases/renew-responders.ts';
import { refuseCalls } from '../support/faults.ts';
import {
  ask,
  ERRORS,
  errorOf,
  GOOD,
  logInAs,
  NEVER_ISSUED,
  questionAbout,
  readAnswer,
} from '../support/ocsp.ts';
import { startedWorld } from '../support/operator-actions.ts';

test('49 a responder is renewed at half of its life with a key of its own, and its last one ends with the authority', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { serial } = await logInAs(world, 'node');
  const authority = await readActiveAuthority(deps);
  const responders = async () => (await deps.ocsp.responder(authority.id))?.value.certificates ?? [];
  const [first] = await responders();
  assert.deepEqual((await renewResponders(deps, run))?.renewed, []);
  world.clock.advance(3.5 * DAY_MS);
  assert.deepEqual((await renewResponders(deps, run))?.renewed, [authority.id]);
  const [second, before] = await responders();
  assert.equal(before?.serialNumber, first?.serialNumber);
  assert.notEqual(second?.keyId, first?.keyId);
  assert.equal(world.authorityVault.versions(vaultResponderName(authority.id)).length, 2);
  assert.deepEqual(await ask(world, [serial]), [GOOD]);

  // Nobody renews: status says so two days before the end, and after it whoever asks is told to try later.
  const reasons = async () =>
    (await getStatus(deps, { cluster: null, state: null, limit: 1, cursor: null })).reasons;
  const isEnding = async () => (await reasons()).some(({ code }) => code === 'ResponderEnding');
  world.clock.advance(4 * DAY_MS);
  assert.equal(await isEnding(), false);
  const query = { at: null, cluster: null, limit: 10, offset: 0 };
  const planned = (await getPlan(deps, query)).entries.find(({ kind }) => kind === 'responder');
  assert.deepEqual([planned?.action, planned?.reason], ['renew', 'InWindow']);
  world.clock.advance(1.5 * DAY_MS);
  assert.equal(await isEnding(), true);
  world.clock.advance(2 * DAY_MS);
  const refused = await answerOcsp(deps, run, questionAbout(authority, [serial]), false);
  assert.equal(errorOf(refused.der), ERRORS.later);
  await renewResponders(deps, run);
  assert.deepEqual(await ask(world, [serial]), [GOOD]);
  assert.equal((await responders()).length, 1);

  world.clock.advance(authority.notAfter.getTime() - world.clock.now().getTime() - DAY_MS);
  await renewResponders(deps, run);
  const [last] = await responders();
  assert.deepEqual(last?.notAfter, authority.notAfter);
  world.clock.advance(DAY_MS - HOUR_MS);
  assert.deepEqual((await renewResponders(deps, run))?.renewed, []);
  const nearEnd = await answerOcsp(deps, run, questionAbout(authority, [NEVER_ISSUED]), false);
  assert.deepEqual(readAnswer(nearEnd.der).responses[0]?.nextUpdate, authority.notAfter);
  world.clock.advance(HOUR_MS + SECOND_MS);
  assert.deepEqual((await renewResponders(deps, run))?.renewed, []);
  const ended = await answerOcsp(deps, run, questionAbout(authority, [serial]), false);
  assert.equal(errorOf(ended.der), ERRORS.unauthorized);
});

test('49 a key that somebody has thrown away in the vault is not signed for twice under one serial number', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { id } = await readActiveAuthority(deps);
  world.clock.advance(4 * DAY_MS);
  const mute = refuseCalls(deps, ({ port }) => port === 'signer');
  await assert.rejects(renewResponders(mute, run), { code: 'VaultUnavailable' });
  const left = (await deps.ocsp.responder(id))?.value.attempt;
  await world.authorityVault.discardPending(vaultResponderName(id));
  assert.deepEqual((await renewResponders(deps, run))?.renewed, [id]);
  const made = (await deps.ocsp.responder(id))?.value.certificates[0];
  assert.notEqual(made?.serialNumber, left?.serialNumber);
});

test('49 a responder whose key is disabled in the vault is replaced at the timer’s next run', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { id, serialNumber } = await readActiveAuthority(deps);
  const name = vaultResponderName(id);
  for (const version of await world.authorityVault.enabledVersions(name)) {
    await world.authorityVault.disable(name, version);
  }
  const ask = async () => {
    const authority = await readActiveAuthority(deps);
    return answerOcsp(deps, run, questionAbout(authority, [serialNumber]), true);
  };
  assert.equal(errorOf((await ask()).der), ERRORS.later);
  assert.deepEqual((await renewResponders(deps, run))?.renewed, [id]);
  assert.equal(readAnswer((await ask()).der).responses[0]?.status.kind, 'good');
  assert.deepEqual((await renewResponders(deps, run))?.renewed, []);
});

test('49 several that renew at once make one responder', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { id } = await readActiveAuthority(deps);
  world.clock.advance(4 * DAY_MS);
  // Leases save work, and nothing depends on them.
  const leases = { acquire: async () => ({ release: async () => undefined }) };
  const outcomes = await Promise.allSettled(
    Array.from({ length: 3 }, () => renewResponders({ ...deps, leases }, run)),
  );
  assert.ok(outcomes.some(({ status }) => status === 'fulfilled'));
  await renewResponders(deps, run);
  const [newest, before, ...more] = (await deps.ocsp.responder(id))?.value.certificates ?? [];
  assert.deepEqual(more, []);
  assert.notEqual(newest?.serialNumber, before?.serialNumber);
  const { serial } = await logInAs(world, 'node');
  assert.deepEqual(await ask(world, [serial]), [GOOD]);
});
