/** OCSP: what verifiers are told, and what is signed for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MANAGEMENT_CLIENTS } from '../../shared/domain/identity.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import type { RevocationReason } from '../../shared/domain/revocation.ts';
import { buildAuthorityTbs } from '../../shared/pki/authority-certificate.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { verifyOcspResponse } from '../../shared/pki/ocsp-response-reader.ts';
import { answerOcsp } from '../../shared/use-cases/answer-ocsp.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import {
  activateAuthority,
  publishAuthority,
  revokeAuthority,
  taintAuthority,
} from '../../shared/use-cases/authority-steps.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { prepareAuthority } from '../../shared/use-cases/prepare-authority.ts';
import { createOrRecreateIdentity } from '../../shared/use-cases/recreate-identity.ts';
import { renewResponders } from '../../shared/use-cases/renew-responders.ts';
import { createRevocationRule } from '../../shared/use-cases/revocation-rules.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import { readRotationKey } from '../../shared/use-cases/tokens.ts';
import { logIn, NODE_AGENT, requestOf } from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import type { World } from '../support/memory-world.ts';
import {
  A_NONCE,
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
import { authorityInput, makeAuthority } from '../unit/pki/support/authority.ts';

const ALL = { instance: null, serialNumber: null };

test('49 a certificate in force is good, one that was never issued is unknown, and both say so in one answer', async () => {
  const world = await startedWorld();
  const { serial } = await logInAs(world, 'node');
  const authority = await readActiveAuthority(world.deps);
  assert.deepEqual(await ask(world, [serial]), [GOOD]);
  assert.deepEqual(await ask(world, [serial], { hash: 'sha256' }), [GOOD]);
  assert.deepEqual(await ask(world, [NEVER_ISSUED]), [{ kind: 'unknown' }]);
  assert.deepEqual(await ask(world, ['00']), [{ kind: 'unknown' }]);
  assert.deepEqual(await ask(world, [serial, NEVER_ISSUED, authority.serialNumber]), [
    GOOD,
    { kind: 'unknown' },
    GOOD,
  ]);
  const responder = (await world.deps.ocsp.responder(authority.id))?.value.certificates[0];
  assert.deepEqual(await ask(world, [responder?.serialNumber ?? '']), [GOOD]);
  // A serial number that was decided, and whose certificate was never signed.
  await world.deps.identities.claimSerial(NEVER_ISSUED, { identity: NODE_AGENT, instance: 'none' });
  assert.deepEqual(await ask(world, [NEVER_ISSUED]), [{ kind: 'unknown' }]);
});

test('49 the answer verifies with the responder, whose certificate comes along and speaks for the authority', async () => {
  const world = await startedWorld();
  const { serial } = await logInAs(world, 'node');
  const authority = await readActiveAuthority(world.deps);
  const { der } = await answerOcsp(world.deps, world.run, questionAbout(authority, [serial]), false);
  const answer = readAnswer(der);
  const [certificate = new Uint8Array()] = answer.certificates;
  const responder = parseCertificate(certificate);
  assert.ok(verifyOcspResponse(answer, responder.spki));
  assert.deepEqual(responder.issuerDer, parseCertificate(authority.certificate).subjectDer);
  const [single] = answer.responses;
  assert.equal(Number(single?.nextUpdate) - Number(single?.thisUpdate), 24 * HOUR_MS);
  assert.ok(Number(single?.nextUpdate) <= responder.notAfter.getTime());
});

test('49 whatever revokes a certificate shows at once, with its moment and reason, although good was kept', async () => {
  const kinds: readonly [RevocationReason, (world: World, serial: string, instance: string) => unknown][] = [
    ['keyCompromise', ({ deps, run }) => revoke(deps, run, NODE_AGENT, ALL, 'keyCompromise')],
    [
      'superseded',
      ({ deps, run }, serialNumber) =>
        revoke(deps, run, NODE_AGENT, { instance: null, serialNumber }, 'superseded'),
    ],
    [
      'privilegeWithdrawn',
      ({ deps, run }, _serial, instance) =>
        revoke(deps, run, NODE_AGENT, { instance, serialNumber: null }, 'privilegeWithdrawn'),
    ],
    [
      'affiliationChanged',
      ({ deps, run }) => {
        const rule = { clientType: null, cluster: 'management', dnsName: null, issuedBefore: null };
        return createRevocationRule(deps, run, rule, 'affiliationChanged');
      },
    ],
    ['cessationOfOperation', ({ deps, run }) => deleteIdentity(deps, run, NODE_AGENT)],
  ];
  for (const [reason, act] of kinds) {
    const world = await startedWorld();
    const { serial, instance } = await logInAs(world, 'node');
    const before = world.clock.now();
    assert.deepEqual(await ask(world, [serial]), [GOOD]);
    world.clock.advance(HOUR_MS);
    await act(world, serial, instance);
    world.clock.advance(MINUTE_MS);
    const revoked = { kind: 'revoked', revokedAt: new Date(before.getTime() + HOUR_MS), reason };
    assert.deepEqual(await ask(world, [serial]), [revoked]);
    assert.deepEqual(await ask(world, [serial], { nonce: A_NONCE }), [revoked]);
  }
});

test('49 the first moment of several stays, and a key that turns out to be compromised is the reason', async () => {
  const world = await startedWorld();
  const { serial, instance } = await logInAs(world, 'node');
  const first = world.clock.now();
  const { deps, run } = world;
  await revoke(deps, run, NODE_AGENT, { instance, serialNumber: null }, 'superseded');
  world.clock.advance(HOUR_MS);
  await revoke(deps, run, NODE_AGENT, { instance: null, serialNumber: serial }, 'keyCompromise');
  await deleteIdentity(deps, run, NODE_AGENT);
  assert.deepEqual(await ask(world, [serial]), [
    { kind: 'revoked', revokedAt: first, reason: 'keyCompromise' },
  ]);
});

test('49 an answer is signed once for everybody and for half a day, and again for another status', async () => {
  const world = await startedWorld();
  const { serial } = await logInAs(world, 'node');
  const authority = await readActiveAuthority(world.deps);
  const request = questionAbout(authority, [serial]);
  const { deps, calls } = recordCalls(world.deps);
  const signatures = () => calls.filter((call) => call === 'signer.sign').length;
  const get = (from: Deps = deps, question = request) => answerOcsp(from, world.run, question, true);
  const first = await get();
  assert.equal(signatures(), 1);
  calls.length = 0;
  for (let i = 0; i < 5; i++) assert.deepEqual((await get()).der, first.der);
  // A nonce in a GET is passed over, and a POST without one gets what was kept.
  const withNonce = questionAbout(authority, [serial], { nonce: A_NONCE });
  assert.deepEqual((await get(deps, withNonce)).der, first.der);
  assert.deepEqual((await answerOcsp(deps, world.run, request, false)).der, first.der);
  assert.deepEqual(
    calls.filter((call) => /sign|counters|put/.test(call)),
    [],
  );

  const freshUntil = first.kept?.freshUntil.getTime() ?? 0;
  assert.ok(freshUntil > world.clock.now().getTime());
  world.clock.advance(freshUntil - world.clock.now().getTime() - SECOND_MS);
  assert.deepEqual((await get()).der, first.der);
  world.clock.advance(SECOND_MS);
  const second = await get();
  assert.notDeepEqual(second.der, first.der);
  assert.equal(signatures(), 1);

  await revoke(world.deps, world.run, NODE_AGENT, ALL, 'superseded');
  assert.equal(readAnswer((await get()).der).responses[0]?.status.kind, 'revoked');
  assert.equal(signatures(), 2);
  await get();
  assert.equal(signatures(), 2);
  // What has ended is removed by the timer.
  world.clock.advance(2 * DAY_MS);
  assert.equal((await renewResponders(world.deps, world.run))?.removed, 3);
});

test('49 storage that keeps nothing costs signatures and no answer; a vault that is away says: try later', async () => {
  const world = await startedWorld();
  const { serial } = await logInAs(world, 'node');
  const request = questionAbout(await readActiveAuthority(world.deps), [serial]);
  const forgetful = refuseCalls(world.deps, ({ method }) => method === 'putAnswer');
  for (let i = 0; i < 2; i++) readAnswer((await answerOcsp(forgetful, world.run, request, true)).der);
  const mute = refuseCalls(world.deps, ({ port }) => port === 'signer');
  const refused = await answerOcsp(mute, world.run, request, true);
  assert.equal(errorOf(refused.der), ERRORS.later);
  assert.ok((refused.retryAfterSeconds ?? 0) > 0);
  assert.equal(refused.kept, null);
});

test('49 a nonce is signed live and repeated; one source soon has to wait, and so do all together', async () => {
  const world = await startedWorld();
  const { serial } = await logInAs(world, 'node');
  const authority = await readActiveAuthority(world.deps);
  const policy = { ...world.deps.policy, ocspSignaturesPerSource: 2, ocspSignaturesPerMinute: 4 };
  const { deps, calls } = recordCalls({ ...world.deps, policy });
  const from = (source: string, nonce: Uint8Array | null = A_NONCE, serials = [serial]) =>
    answerOcsp(
      deps,
      { ...world.run, actor: { kind: 'anonymous', id: null, source } },
      questionAbout(authority, serials, { nonce }),
      false,
    );
  const one = await from('192.0.2.1');
  assert.deepEqual(readAnswer(one.der).nonce, A_NONCE);
  assert.equal(one.kept, null);
  const another = await from('192.0.2.1');
  assert.notDeepEqual(another.der, one.der);
  calls.length = 0;
  const third = await from('192.0.2.1');
  assert.equal(errorOf(third.der), ERRORS.later);
  assert.ok((third.retryAfterSeconds ?? 0) > 0 && (third.retryAfterSeconds ?? 0) <= 60);
  assert.ok(!calls.some((call) => /counters|signer/.test(call)), 'a source that has to wait costs nothing');
  // Unknown certificates are signed live as well; what is kept is not one source's.
  assert.equal(errorOf((await from('192.0.2.1', null, [NEVER_ISSUED])).der), ERRORS.later);
  readAnswer((await from('192.0.2.1', null)).der);
  readAnswer((await from('192.0.2.2')).der);
  assert.equal(errorOf((await from('192.0.2.3')).der), ERRORS.later);
  readAnswer((await from('192.0.2.3', null)).der);
  world.clock.advance(MINUTE_MS);
  readAnswer((await from('192.0.2.1')).der);
});

test('49 what is no request, asks about a stranger’s certificates or about several authorities gets an error', async () => {
  const world = await startedWorld();
  const authority = await readActiveAuthority(world.deps);
  const { issue, key } = makeAuthority();
  const stranger = { certificate: issue(buildAuthorityTbs(authorityInput(key))) };
  const answerTo = async (der: Uint8Array) =>
    errorOf((await answerOcsp(world.deps, world.run, der, false)).der);
  assert.equal(await answerTo(new Uint8Array()), ERRORS.malformed);
  assert.equal(await answerTo(questionAbout(authority, ['01']).subarray(1)), ERRORS.malformed);
  assert.equal(await answerTo(questionAbout(stranger, ['01'])), ERRORS.unauthorized);
});

test('49 after a rollover both authorities are answered for, and the cross certificate too, until it is revoked', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { serial, token } = await logInAs(world, 'node');
  const old = await readActiveAuthority(deps);
  await prepareAuthority(deps, run, 'b2b2b2b2', old);
  await publishAuthority(deps, run, 'b2b2b2b2');
  assert.deepEqual((await renewResponders(deps, run))?.renewed, ['b2b2b2b2']);
  await activateAuthority(deps, run, 'b2b2b2b2');
  const next = await readActiveAuthority(deps);
  assert.equal(next.id, 'b2b2b2b2');
  assert.deepEqual(await ask(world, [serial], {}, old), [GOOD]);
  // The same number of the other authority is another certificate.
  assert.deepEqual(await ask(world, [serial], {}, next), [{ kind: 'unknown' }]);
  const { serialNumber: later } = await logIn(world, token, requestOf(NODE_AGENT, 'another node'));
  assert.deepEqual(await ask(world, [later], {}, next), [GOOD]);
  const [cross] = next.crossCertificates;
  assert.deepEqual(await ask(world, [cross?.serialNumber ?? ''], {}, old), [GOOD]);

  await taintAuthority(deps, run, next.id, {
    reason: 'its key was seen',
    requestedBy: 'operator',
    operationId: null,
  });
  assert.deepEqual(await ask(world, [later], {}, next), [GOOD]);
  world.clock.advance(HOUR_MS);
  await revokeAuthority(deps, run, next.id);
  const revoked = { kind: 'revoked', revokedAt: world.clock.now(), reason: 'cACompromise' };
  assert.deepEqual(await ask(world, [cross?.serialNumber ?? ''], {}, old), [revoked]);
  assert.deepEqual(await ask(world, [later], {}, next), [revoked]);
  assert.deepEqual(await ask(world, [serial], {}, old), [GOOD]);
  // Its responder is not renewed any more.
  world.clock.advance(8 * DAY_MS);
  assert.deepEqual((await renewResponders(deps, run))?.renewed, [old.id]);
  const { der } = await answerOcsp(deps, run, questionAbout(next, [later]), false);
  assert.equal(errorOf(der), ERRORS.unauthorized);
});

test('49 an identity that was deleted and made again does not make its earlier certificates good', async () => {
  const world = await startedWorld();
  const { deps, run } = world;
  const { serial } = await logInAs(world, 'node');
  const deletedAt = world.clock.now();
  await deleteIdentity(deps, run, NODE_AGENT);
  world.clock.advance(HOUR_MS);
  const template = MANAGEMENT_CLIENTS.find(({ name }) => name === NODE_AGENT.name);
  assert.ok(template !== undefined);
  const rotationKey = await readRotationKey(deps);
  await createOrRecreateIdentity(deps, run, rotationKey, NODE_AGENT.cluster, template);
  const [status] = await ask(world, [serial]);
  assert.ok(status?.kind === 'revoked');
  assert.equal(status.reason, 'cessationOfOperation');
  assert.ok(status.revokedAt >= deletedAt && status.revokedAt <= world.clock.now());
  const { serial: now } = await logInAs(world, 'a new node');
  assert.deepEqual(await ask(world, [now]), [GOOD]);
});
