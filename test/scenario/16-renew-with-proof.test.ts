import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { EventType } from '../../shared/domain/audit.ts';
import { DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { encodePem } from '../../shared/pki/pem.ts';
import { spkiHash } from '../../shared/pki/public-key.ts';
import { acknowledgeBundle } from '../../shared/use-cases/acknowledge-bundle.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { renewWithProof } from '../../shared/use-cases/renew-with-proof.ts';
import { identityOf, KMS, NODE_AGENT, requestOf } from '../support/agent.ts';
import { eventsOf } from '../support/events.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { firstCertificate, type Held, renew, renewAsMoc, show } from '../support/proving-agent.ts';
import { renewalRequest } from '../support/renewal-requests.ts';
import { keyPair, newKeyPair } from '../unit/pki/support/keys.ts';
import { openOpensslDirectory } from '../unit/pki/support/openssl.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

async function startedWorld(): Promise<World> {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  return world;
}

async function lineOf(world: World, held: Held) {
  const line = await world.deps.identities.instance(held.id, held.answer.instance);
  assert.ok(line !== null);
  return line.value;
}

async function typesOf(world: World): Promise<EventType[]> {
  return (await eventsOf(world, NODE_AGENT)).map(({ type }) => type);
}

function verifies(world: World, { answer }: Held): string {
  const at = String(Math.floor(world.clock.now().getTime() / 1000));
  const bundle = openssl.write('bundle.pem', answer.caBundle);
  const leaf = openssl.write('leaf.pem', answer.certificate);
  return openssl.run('verify', '-x509_strict', '-attime', at, '-CAfile', bundle, leaf);
}

for (const [way, asks] of [
  ['a signed request', renew],
  ['the cloud agent’s own form', renewAsMoc],
] as const) {
  test(`16 with ${way} an agent renews for a year, and each certificate tells of its line`, async () => {
    const world = await startedWorld();
    const first = await firstCertificate(world);
    let held = first;
    for (let count = 1; count <= 7; count++) {
      world.clock.advance(44 * DAY_MS);
      held = await asks(world, held, `node, key ${count}`);
      assert.equal(held.answer.renewCount, count);
      assert.equal(held.answer.instance, first.answer.instance);
      assert.match(verifies(world, held), /: OK/);
      const { extensions } = parseCertificate(held.certificate);
      const original = extensions.get('1.3.6.1.4.1.311.104.1.2')?.value;
      assert.deepEqual(Buffer.from(original ?? []), Buffer.from(first.certificate));
      const number = Buffer.from(extensions.get('1.3.6.1.4.1.311.104.1.3')?.value ?? []).toString('hex');
      assert.equal(number, `02010${count}`);
    }
    const line = await lineOf(world, held);
    assert.equal(line.successor?.serialNumber, held.answer.serialNumber);
    assert.equal(line.originalSerialNumber, first.answer.serialNumber);
    assert.equal((await typesOf(world)).filter((type) => type === 'certificate-renewed').length, 7);
    await assertWhole(world, [first.certificate, held.certificate]);
  });
}

test('16 an RSA agent renews as the cloud agent’s clients do, and may keep its key', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world, 'node', 'RSA-2048');
  world.clock.advance(40 * DAY_MS);
  const second = await renewAsMoc(world, first, 'node, made anew', 'RSA-2048');
  assert.match(verifies(world, second), /: OK/);
  world.clock.advance(40 * DAY_MS);
  const third = await renewAsMoc(world, second, 'node, made anew', 'RSA-2048');
  assert.equal(third.answer.renewCount, 2);
  assert.notEqual(third.answer.serialNumber, second.answer.serialNumber);
  await show(world, third);
});

test('16 the answer is a login’s, with the facts of the newest token', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  world.clock.advance(60 * DAY_MS);
  const { answer } = await renew(world, first, 'node, key 1');
  assert.deepEqual(Object.keys(answer).sort(), Object.keys(first.answer).sort());
  assert.deepEqual(answer.identity, first.answer.identity);
  assert.equal(answer.token.expiresAt, first.answer.token.expiresAt);
  assert.equal(answer.token.rotationDue, true);
  assert.equal(answer.bundleId, first.answer.bundleId);
  const { certificate, lastSeenAt } = await identityOf(world, NODE_AGENT);
  assert.equal(certificate.head?.serialNumber, answer.serialNumber);
  assert.equal(certificate.generation, 2);
  assert.deepEqual(lastSeenAt, world.clock.now());
});

test('16 asking again with the same key gets the same certificate, as long as it is in force', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const second = await renew(world, first, 'node, key 1');
  for (const days of [0, 20, 60]) {
    world.clock.advance(days * DAY_MS);
    const again = await renew(world, first, 'node, key 1');
    assert.equal(again.answer.certificate, second.answer.certificate);
  }
  await show(world, second);
  const afterwards = await renew(world, first, 'node, key 1');
  assert.equal(afterwards.answer.certificate, second.answer.certificate, 'also when it is the head');
  assert.equal((await lineOf(world, first)).lockedAt, null);
});

test('16 the first proof by the successor ends the certificate before it', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const second = await renew(world, first, 'node, key 1');
  await show(world, first);
  await show(world, second);
  await assert.rejects(show(world, first), {
    code: 'Expired',
    details: { reason: 'certificate-superseded' },
  });
  const line = await lineOf(world, second);
  assert.equal(line.head.serialNumber, second.answer.serialNumber);
  assert.deepEqual(line.provenAt, world.clock.now());
  assert.ok((await typesOf(world)).includes('successor-proven'));
});

test('16 a renewal before its time is served', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  world.clock.advance(HOUR_MS);
  const { answer } = await renew(world, first, 'node, key 1');
  assert.equal(answer.renewCount, 1);
});

test('16 while an operator’s wish stands, a repeated answer asks for the next renewal at once', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  await renew(world, first, 'node, key 1');
  const stored = await world.deps.identities.identity(NODE_AGENT);
  assert.ok(stored !== null);
  const forced = {
    ...stored.value,
    certificate: { ...stored.value.certificate, forcedAt: world.clock.now() },
  };
  await world.deps.identities.commit('management', [
    { op: 'replace', kind: 'identity', value: forced, etag: stored.etag },
  ]);
  const repeated = await renew(world, first, 'node, key 1');
  assert.equal(repeated.answer.renewAfter, '2026-11-21T08:00:00Z');
  const fresh = await renew(world, first, 'node, key 2');
  assert.ok(fresh.answer.renewAfter > '2026-12');
});

test('16 a key of another instance or identity is refused', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  await renew(world, first, 'node, key 1');
  const foreign = { owner: 'kms', claim: { identity: KMS, instance: 'x' } };
  const other = { owner: 'replica', claim: { identity: NODE_AGENT, instance: 'replica' } };
  for (const [{ owner, claim }, reason] of [
    [foreign, 'key-of-another-identity'],
    [other, 'key-of-another-instance'],
  ] as const) {
    await world.deps.identities.claimKey(spkiHash(keyPair('P-256', owner).spki), claim);
    await assert.rejects(renew(world, first, owner), {
      code: 'InvalidCertificateRequest',
      details: { reason },
    });
  }
});

test('16 a request without any proof, or with a false or stale one inside, is refused', async () => {
  const world = await startedWorld();
  const { id: identity, certificate, key } = await firstCertificate(world);
  const now = world.clock.now();
  const ask = (csr: string) => renewWithProof(world.deps, world.run, { csr, bundleId: null, caller: null });
  const parts = { identity, certificate, key, newKey: keyPair('P-256', 'next'), now };
  await assert.rejects(ask(requestOf(identity, 'next')), { code: 'NoAuthenticationInformation' });
  await assert.rejects(ask('no request'), { code: 'InvalidCertificateRequest' });
  await assert.rejects(ask(renewalRequest({ ...parts, key: newKeyPair('P-256') })), {
    code: 'InvalidProof',
    message: 'The proof is not valid.',
    details: {},
  });
  const authority = (await world.deps.fleet.authorities())[0]?.certificate ?? new Uint8Array();
  const blocks = [encodePem('CERTIFICATE', authority), encodePem('CERTIFICATE', certificate)];
  await assert.rejects(ask(renewalRequest({ ...parts, blocks })), {
    code: 'InvalidProof',
    details: { reason: 'malformed' },
  });
  for (const off of [-DAY_MS - 1000, DAY_MS + 1000]) {
    const made = { ...parts, now: new Date(now.getTime() + off) };
    await assert.rejects(ask(renewalRequest(made)), {
      code: 'InvalidProof',
      details: { reason: 'stale', serverTime: '2026-11-21T08:00:00Z' },
    });
  }
  await ask(renewalRequest({ ...parts, now: new Date(now.getTime() - DAY_MS) }));
});

test('16 the vault’s own certificate is renewed by the vault alone', async () => {
  const world = await startedWorld();
  const version = await world.clientVault.current('client--management--kms');
  assert.ok(version !== null);
  const key = { privateKey: world.clientVault.keyOf(version.keyId) };
  const newKey = keyPair('P-256', 'thief');
  const now = world.clock.now();
  const csr = renewalRequest({ identity: KMS, certificate: version.der, key, newKey, now });
  await assert.rejects(renewWithProof(world.deps, world.run, { csr, bundleId: null, caller: null }), {
    code: 'InvalidInput',
    message: /renewed in the vault/,
  });
});

test('16 a revoked identity gets no other certificate, also when it is revoked while one is being signed', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const revoke = async () => {
    const stored = await world.deps.identities.identity(NODE_AGENT);
    assert.ok(stored !== null);
    const value = { ...stored.value, revokedAt: world.clock.now() };
    await world.deps.identities.commit('management', [
      { op: 'replace', kind: 'identity', value, etag: stored.etag },
    ]);
  };
  const signer: World['deps']['signer'] = {
    sign: async (...args) => {
      const signature = await world.deps.signer.sign(...args);
      await revoke();
      return signature;
    },
  };
  await assert.rejects(renew(world, first, 'node, key 1', { ...world.deps, signer }), { code: 'Revoked' });
  await assert.rejects(renew(world, first, 'node, key 1'), { code: 'Revoked' });
  assert.equal((await lineOf(world, first)).successor, null);
});

test('16 an agent says which bundle it holds: at once, or along with a renewal', async () => {
  const world = await startedWorld();
  const first = await firstCertificate(world);
  const { bundleId } = first.answer;
  const { record } = await show(world, first);
  for (const _ of [1, 2]) {
    assert.deepEqual(await acknowledgeBundle(world.deps, world.run, record, bundleId), {
      bundleId,
      current: true,
    });
  }
  const older = '0'.repeat(64);
  await renew(world, first, 'node, key 1', world.deps, older);
  assert.equal((await identityOf(world, NODE_AGENT)).acknowledgedBundleId, older);
  assert.equal((await lineOf(world, first)).bundleId, older);
  assert.equal((await acknowledgeBundle(world.deps, world.run, record, older)).current, false);
  const told = (await eventsOf(world, NODE_AGENT)).filter(({ type }) => type === 'bundle-acknowledged');
  assert.deepEqual(told.map(({ details }) => details['bundleId']).sort(), [older, bundleId].sort());
});

test('16 a client of the vault says which bundle it holds for the whole identity', async () => {
  const world = await startedWorld();
  const version = await world.clientVault.current('client--management--kms');
  const head = (await identityOf(world, KMS)).certificate.head;
  const record = await world.deps.identities.certificate(KMS, head?.serialNumber ?? '');
  assert.ok(version !== null && record !== null);
  const bundleId = 'a'.repeat(64);
  await acknowledgeBundle(world.deps, world.run, record, bundleId);
  assert.equal((await identityOf(world, KMS)).acknowledgedBundleId, bundleId);
});
