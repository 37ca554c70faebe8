/** Revocation of identities, lines, certificates and by rule, at every door that a credential goes through. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import type { RevocationCriteria } from '../../shared/domain/revocation.ts';
import { deleteIdentity } from '../../shared/use-cases/delete-identity.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { changeIdentity } from '../../shared/use-cases/manage-identity.ts';
import { renewDue } from '../../shared/use-cases/renew-due.ts';
import { createRevocationRule, deleteRevocationRule } from '../../shared/use-cases/revocation-rules.ts';
import { revoke } from '../../shared/use-cases/revoke.ts';
import {
  certificateOf,
  identityOf,
  KMS,
  logIn,
  management,
  NODE_AGENT,
  requestOf,
  tokenFromVault,
} from '../support/agent.ts';
import { eventsOf } from '../support/events.ts';
import { allCertificates, assertDueRows } from '../support/inspect-world.ts';
import type { World } from '../support/memory-world.ts';
import { nodeWithCertificate, prove, rotate, startedWorld } from '../support/operator-actions.ts';
import { keyPair } from '../unit/pki/support/keys.ts';
import { extension, pemRequest, requestDer } from '../unit/pki/support/requests.ts';
import { name as distinguishedName, implicit, sequence, utf8 } from '../unit/pki/support/tlv.ts';

const ALL = { instance: null, serialNumber: null };
const request = (owner: string) => requestOf(NODE_AGENT, owner);
const keyRevoked = { code: 'InvalidCertificateRequest', details: { reason: 'key-revoked' } };
const ruled = { code: 'Revoked', details: { reason: 'rule-revoked' } };

function ruleFor(world: World, criteria: Partial<RevocationCriteria>) {
  const whole = { clientType: null, cluster: null, dnsName: null, issuedBefore: null, ...criteria };
  return createRevocationRule(world.deps, world.run, whole, 'unspecified');
}

async function yearPasses(world: World, days: number): Promise<void> {
  for (let day = 0; day < days; day++) {
    world.clock.advance(DAY_MS);
    await world.tick();
  }
}

test('20 a revoked identity neither logs in nor proves anything, and is renewed no more', async () => {
  const world = await startedWorld();
  const { token, certificate } = await nodeWithCertificate(world);
  const first = await revoke(world.deps, world.run, NODE_AGENT, ALL, 'privilegeWithdrawn');
  world.clock.advance(HOUR_MS);
  assert.deepEqual(await revoke(world.deps, world.run, NODE_AGENT, ALL, 'superseded'), first);
  await assert.rejects(logIn(world, token, request('node')), { code: 'Revoked' });
  await assert.rejects(prove(world, certificate, 'node'), {
    code: 'Revoked',
    details: { reason: 'identity-revoked' },
  });

  await revoke(world.deps, world.run, KMS, ALL, 'unspecified');
  const before = (await identityOf(world, KMS)).certificate.generation;
  await yearPasses(world, 60);
  const after = await identityOf(world, KMS);
  assert.deepEqual(
    [after.certificate.generation, after.certificate.dueKey, after.token.dueKey],
    [before, null, null],
  );
  await assertDueRows(world);
});

test('20 an identity that is revoked while its renewal waits in the queue is not renewed', async () => {
  const world = await startedWorld();
  world.clock.advance(46 * DAY_MS);
  await renewDue(world.deps, world.run);
  await revoke(world.deps, world.run, KMS, ALL, 'unspecified');
  const count = (await allCertificates(world)).length;
  for (const item of world.queue.takeAll()) {
    if (item.identity.name === KMS.name) await doWork(world.deps, world.run, item);
  }
  assert.equal((await allCertificates(world)).length, count);
});

test('20 a revoked line ends alone, with every key that was in it; the others go on', async () => {
  const world = await startedWorld();
  const { token, answer, certificate } = await nodeWithCertificate(world);
  const other = await logIn(world, token, request('another'));
  await revoke(world.deps, world.run, NODE_AGENT, { ...ALL, instance: answer.instance }, 'superseded');
  await assert.rejects(prove(world, certificate, 'node'), {
    code: 'Revoked',
    details: { reason: 'instance-revoked' },
  });
  await assert.rejects(logIn(world, token, request('node')), keyRevoked);
  assert.equal((await logIn(world, token, request('another'))).instance, other.instance);
  await assert.rejects(
    revoke(world.deps, world.run, NODE_AGENT, { ...ALL, instance: 'f'.repeat(32) }, 'superseded'),
    { code: 'NotFound' },
  );
});

test('20 a revoked certificate counts for nothing, and its key goes on unless it was compromised', async () => {
  const world = await startedWorld();
  const { token, answer, certificate } = await nodeWithCertificate(world);
  const serial = { ...ALL, serialNumber: answer.serialNumber };
  const first = await revoke(world.deps, world.run, NODE_AGENT, serial, 'superseded');
  assert.deepEqual(await revoke(world.deps, world.run, NODE_AGENT, serial, 'superseded'), first);
  await assert.rejects(prove(world, certificate, 'node'), {
    code: 'Revoked',
    details: { reason: 'certificate-revoked' },
  });
  const next = await logIn(world, token, request('node'));
  assert.notEqual(
    next.serialNumber,
    answer.serialNumber,
    'a lost answer is not repeated with what is revoked',
  );

  const worse = await revoke(world.deps, world.run, NODE_AGENT, serial, 'keyCompromise');
  assert.deepEqual([worse.revokedAt, worse.reason], [first.revokedAt, 'keyCompromise']);
  await assert.rejects(logIn(world, token, request('node')), keyRevoked);
  await logIn(world, token, request('a new key'));
  await assert.rejects(
    revoke(world.deps, world.run, NODE_AGENT, { ...ALL, serialNumber: 'ab' }, 'superseded'),
    { code: 'NotFound' },
  );
});

test('20 when the certificate in the vault is revoked, the next scan brings another one there', async () => {
  const world = await startedWorld();
  const { head } = (await identityOf(world, KMS)).certificate;
  assert.ok(head !== null);
  await revoke(world.deps, world.run, KMS, { ...ALL, serialNumber: head.serialNumber }, 'superseded');
  const events = (await eventsOf(world, KMS)).length;
  await assert.rejects(logIn(world, tokenFromVault(world, KMS), null), { code: 'NotReady', retryable: true });
  assert.equal((await eventsOf(world, KMS)).length, events, 'nobody was logged in');
  await world.tick();
  const after = (await identityOf(world, KMS)).certificate;
  assert.equal((await logIn(world, tokenFromVault(world, KMS), null)).serialNumber, after.head?.serialNumber);
  assert.notEqual(after.head?.serialNumber, head.serialNumber);
  assert.equal(after.forcedAt, null);
  await assertDueRows(world);
});

test('20 the keys of a vault that were compromised are not certified for anybody who copied one', async () => {
  const world = await startedWorld();
  const { head } = (await identityOf(world, KMS)).certificate;
  await yearPasses(world, 50);
  const token = tokenFromVault(world, KMS);
  const newer = (await identityOf(world, KMS)).certificate.head;
  assert.notEqual(newer?.serialNumber, head?.serialNumber);
  await logIn(world, token, requestOf(KMS, 'not of the vault'));
  await revoke(world.deps, world.run, KMS, ALL, 'keyCompromise');
  const rows = await world.deps.identities.revocations(KMS);
  const serials = [head, newer].map((one) => one?.serialNumber);
  assert.deepEqual(rows.map(({ serialNumber }) => serialNumber).sort(), serials.sort());
  assert.ok(rows.every(({ reason }) => reason === 'keyCompromise'));
});

test('20 that a key was compromised is remembered also when it turns out after the identity was deleted', async () => {
  const world = await startedWorld();
  const { head } = (await identityOf(world, KMS)).certificate;
  await deleteIdentity(world.deps, world.run, KMS);
  await assert.rejects(revoke(world.deps, world.run, KMS, ALL, 'superseded'), { code: 'NotFound' });
  assert.equal((await revoke(world.deps, world.run, KMS, ALL, 'keyCompromise')).reason, 'keyCompromise');
  const [row] = await world.deps.identities.revocations(KMS);
  assert.deepEqual([row?.serialNumber, row?.reason], [head?.serialNumber, 'keyCompromise']);
  const { deletedAt, revocationReason } = await identityOf(world, KMS);
  assert.ok(deletedAt !== null);
  assert.equal(revocationReason, 'keyCompromise');
});

test('20 a rule by client type revokes what there is and what is to come, until it is taken back', async () => {
  const world = await startedWorld();
  const { token, certificate } = await nodeWithCertificate(world);
  const rule = await ruleFor(world, { clientType: 'Node' });
  await assert.rejects(logIn(world, token, request('node')), ruled);
  await assert.rejects(prove(world, certificate, 'node'), ruled);
  await assert.rejects(rotate(world, NODE_AGENT), { ...ruled, code: 'IdentityRevoked' });
  await logIn(world, tokenFromVault(world, KMS), null);
  await deleteRevocationRule(world.deps, world.run, rule.id);
  await prove(world, certificate, 'node');
  await logIn(world, token, request('node'));
  await assert.rejects(deleteRevocationRule(world.deps, world.run, rule.id), { code: 'NotFound' });
});

test('20 a rule holds the renewals of the vault back as failures, which end with it', async () => {
  const world = await startedWorld();
  const rule = await ruleFor(world, { cluster: 'management' });
  world.clock.advance(46 * DAY_MS);
  const count = (await allCertificates(world)).length;
  await world.tick();
  assert.equal((await allCertificates(world)).length, count);
  const held = await identityOf(world, KMS);
  assert.deepEqual([held.certificate.failure?.code, held.token.failure?.code], ['Revoked', 'Revoked']);
  await deleteRevocationRule(world.deps, world.run, rule.id);
  world.clock.advance(7 * HOUR_MS);
  await world.tick();
  assert.equal((await identityOf(world, KMS)).certificate.failure, null);
  assert.ok((await allCertificates(world)).length > count);
});

test('20 a rule with a moment revokes certificates and tokens issued before it, and none after', async () => {
  const world = await startedWorld();
  const { token, certificate } = await nodeWithCertificate(world);
  world.clock.advance(SECOND_MS);
  await ruleFor(world, { issuedBefore: world.clock.now() });
  await assert.rejects(logIn(world, token, request('node')), ruled);
  await assert.rejects(prove(world, certificate, 'node'), ruled);
  const next = (await rotate(world, NODE_AGENT)).token.reveal();
  const answer = await logIn(world, next, request('node'));
  await prove(world, certificateOf(answer), 'node');
});

test('20 a rule by DNS name revokes whoever may carry it', async () => {
  const world = await startedWorld();
  const agent = management('CloudAgent');
  await ruleFor(world, { dnsName: '*.everleaf.test' });
  await assert.rejects(logIn(world, tokenFromVault(world, agent), null), ruled);
  await logIn(world, tokenFromVault(world, KMS), null);
});

test('20 a certificate that carries a name is revoked by it also when the identity may not carry it any more', async () => {
  const world = await startedWorld();
  const agent = management('CloudAgent');
  const names = extension('2.5.29.17', sequence(implicit(2, Buffer.from('cloud.everleaf.test'))));
  const subject = distinguishedName(['2.5.4.3', utf8(agent.name)]);
  const csr = pemRequest(requestDer({ key: keyPair('P-256', 'cloud'), subject, extensions: [names] }));
  const certificate = certificateOf(await logIn(world, tokenFromVault(world, agent), csr));
  await changeIdentity(world.deps, world.run, agent, { dnsNames: [] }, 'any');
  await prove(world, certificate, 'cloud');
  await ruleFor(world, { dnsName: 'cloud.everleaf.test' });
  await assert.rejects(prove(world, certificate, 'cloud'), ruled);
  await logIn(world, tokenFromVault(world, agent), null);
});
