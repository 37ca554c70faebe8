import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { fromHex, toHex } from '../../shared/domain/encoding.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { decodeToken } from '../../shared/domain/token.ts';
import type { LoginAnswer } from '../../shared/use-cases/login-answer.ts';
import { makeLoginFile } from '../../shared/use-cases/make-login-file.ts';
import {
  certificateOf,
  identityOf,
  KMS,
  logIn,
  management,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
  tokenFromVault,
} from '../support/agent.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { startWorld } from '../support/started-world.ts';
import { KEY_KINDS } from '../unit/pki/support/keys.ts';
import { openOpensslDirectory } from '../unit/pki/support/openssl.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

async function startedWorld(): Promise<World> {
  const world = memoryWorld();
  await startWorld(world);
  return world;
}

function verifies(world: World, answer: LoginAnswer, purpose = 'sslclient'): string {
  const at = String(Math.floor(world.clock.now().getTime() / 1000));
  const bundle = openssl.write('bundle.pem', answer.caBundle);
  const leaf = openssl.write('leaf.pem', answer.certificate);
  return openssl.run('verify', '-x509_strict', '-purpose', purpose, '-attime', at, '-CAfile', bundle, leaf);
}

for (const kind of KEY_KINDS) {
  test(`02 with its token and a request for an ${kind} key a client gets a certificate that openssl accepts`, async () => {
    const world = await startedWorld();
    const key = openssl.path('client.key');
    const algorithm = kind.startsWith('RSA')
      ? ['-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${kind.slice(4)}`]
      : ['-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${kind}`];
    openssl.run('genpkey', ...algorithm, '-out', key);
    const csr = openssl.run('req', '-new', '-key', key, '-sha256', '-subj', '/CN=KMS');
    const answer = await logIn(world, tokenFromVault(world, KMS), csr);
    assert.match(verifies(world, answer), /: OK/);
    assert.equal(
      openssl.run('x509', '-in', openssl.path('leaf.pem'), '-noout', '-pubkey'),
      openssl.run('pkey', '-in', key, '-pubout'),
    );
    assert.deepEqual(answer.identity, { cluster: 'management', name: 'KMS', clientType: 'ExternalClient' });
    assert.equal(answer.notBefore, '2026-11-21T07:55:00Z');
    assert.equal(answer.notAfter, '2027-02-19T07:59:59Z');
    await assertWhole(world, [certificateOf(answer)]);
  });
}

test('02 a node may also serve TLS with its certificate', async () => {
  const world = await startedWorld();
  const answer = await logIn(
    world,
    await tokenFromLoginFile(world, NODE_AGENT),
    requestOf(NODE_AGENT, 'node'),
  );
  assert.match(verifies(world, answer, 'sslserver'), /: OK/);
});

test('02 the same token with the same key gets the same certificate for ten minutes, then another in the same instance', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const csr = requestOf(NODE_AGENT, 'node');
  const first = await logIn(world, token, csr);
  world.clock.advance(10 * MINUTE_MS - 1);
  assert.equal((await logIn(world, token, csr)).certificate, first.certificate);

  world.clock.advance(1);
  const later = await logIn(world, token, csr);
  assert.notEqual(later.serialNumber, first.serialNumber);
  assert.equal(later.instance, first.instance);
  const [line, ...others] = await world.deps.identities.instances(NODE_AGENT);
  assert.equal(line?.head.serialNumber, later.serialNumber);
  assert.equal(line?.startedAt.toISOString(), '2026-11-21T08:00:00.000Z');
  assert.deepEqual(others, []);
  await assertWhole(world, [first, later].map(certificateOf));
});

test('02 another key is another instance', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const one = await logIn(world, token, requestOf(NODE_AGENT, 'node'));
  const two = await logIn(world, token, requestOf(NODE_AGENT, 'the node, made anew'));
  assert.notEqual(two.instance, one.instance);
  assert.equal((await world.deps.identities.instances(NODE_AGENT)).length, 2);
});

test('02 a key belongs to the identity that used it first', async () => {
  const world = await startedWorld();
  await logIn(world, tokenFromVault(world, KMS), requestOf(KMS, 'shared'));
  await assert.rejects(
    logIn(world, tokenFromVault(world, management('CSI')), requestOf(management('CSI'), 'shared')),
    {
      code: 'InvalidCertificateRequest',
      details: { reason: 'key-of-another-identity' },
    },
  );
});

test('02 names that an identity may not carry are left out and named in a warning', async () => {
  const world = await startedWorld();
  const csr = (name: string, ...sans: string[]) =>
    openssl.run(
      ...[
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        openssl.path('x'),
      ],
      ...['-subj', `/CN=${name}`, '-addext', `subjectAltName=${sans.map((san) => `DNS:${san}`).join(',')}`],
    );
  const kms = await logIn(world, tokenFromVault(world, KMS), csr('KMS', 'cloud.everleaf.test'));
  assert.match(kms.warnings.join(), /"cloud\.everleaf\.test" is left out/);
  const agent = management('CloudAgent');
  const answer = await logIn(
    world,
    tokenFromVault(world, agent),
    csr('CloudAgent', 'Cloud.everleaf.test', 'other.test'),
  );
  assert.equal(answer.warnings.length, 1);
  assert.match(answer.warnings.join(), /"other\.test" is left out/);
  const text = openssl.run(
    'x509',
    '-in',
    openssl.write('leaf.pem', answer.certificate),
    '-noout',
    '-ext',
    'subjectAltName',
  );
  assert.match(text, /DNS:cloud\.everleaf\.test/);
  assert.doesNotMatch(text, /other\.test/);
});

test('02 without a request a vault-delivered identity learns where its certificate is', async () => {
  const world = await startedWorld();
  const answer = await logIn(world, tokenFromVault(world, KMS), null);
  const { head } = (await identityOf(world, KMS)).certificate;
  assert.equal(answer.serialNumber, head?.serialNumber);
  assert.deepEqual(answer.vault, {
    certificateId: `https://clients.vault.test/certificates/client--management--kms/${head?.vaultVersion}`,
    secretId: `https://clients.vault.test/secrets/client--management--kms/${head?.vaultVersion}`,
  });
  assert.match(verifies(world, answer), /: OK/);
});

test('02 without a request an agent-delivered identity is told that it needs one', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  await assert.rejects(logIn(world, token, null), { code: 'InvalidInput', details: { pointer: '/csr' } });
  await assert.rejects(logIn(world, token, ''), { code: 'InvalidCertificateRequest' });
});

test('02 the first use of a token erases what yields it, so no login file can be made of it any more', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const { id } = (await identityOf(world, NODE_AGENT)).token;
  assert.match((await world.deps.identities.token(fromHex(id)))?.value.nonce ?? '', /^[0-9a-f]{32}$/);

  await logIn(world, token, requestOf(NODE_AGENT, 'node'));
  const used = await world.deps.identities.token(fromHex(id));
  assert.equal(used?.value.nonce, null);
  assert.deepEqual(used?.value.firstUsedAt, world.clock.now());
  assert.equal(await makeLoginFile(world.deps, await identityOf(world, NODE_AGENT)), null);
});

test('02 a refused request leaves the token unused', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  await assert.rejects(logIn(world, token, 'no request'), { code: 'InvalidCertificateRequest' });
  await assert.rejects(logIn(world, token, requestOf(KMS, 'node')), { code: 'InvalidCertificateRequest' });
  assert.equal(await tokenFromLoginFile(world, NODE_AGENT), token);
});

test('02 a token works in its last second and not in the next', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  world.clock.advance(90 * DAY_MS - 1);
  await logIn(world, token, requestOf(NODE_AGENT, 'node'));
  world.clock.advance(1);
  await assert.rejects(logIn(world, token, requestOf(NODE_AGENT, 'node')), { code: 'Expired' });
});

test('02 the first use of a newer token ends the one before; until then both work', async () => {
  const world = await startedWorld();
  const old = tokenFromVault(world, KMS);
  world.clock.advance(46 * DAY_MS);
  await world.tick();
  const newer = tokenFromVault(world, KMS);
  assert.notEqual(newer, old);

  await logIn(world, old, requestOf(KMS, 'replica'));
  await logIn(world, newer, requestOf(KMS, 'replica'));
  await assert.rejects(logIn(world, old, requestOf(KMS, 'replica')), {
    code: 'Expired',
    details: { reason: 'token-superseded' },
  });
  await logIn(world, newer, null);
});

test('02 a revoked identity learns that it is', async () => {
  const world = await startedWorld();
  const token = tokenFromVault(world, KMS);
  const stored = await world.deps.identities.identity(KMS);
  assert.ok(stored !== null);
  const revoked = { ...stored.value, revokedAt: world.clock.now() };
  await world.deps.identities.commit('management', [
    { op: 'replace', kind: 'identity', value: revoked, etag: stored.etag },
  ]);
  await assert.rejects(logIn(world, token, requestOf(KMS, 'replica')), { code: 'Revoked' });
  await assert.rejects(logIn(world, token, null), { code: 'Revoked' });
});

test('02 an attempt that has not ended after 30 seconds is taken over with its serial number', async () => {
  const world = await startedWorld();
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const csr = requestOf(NODE_AGENT, 'node');
  const broken = { ...world.deps, signer: { sign: () => Promise.reject(new Error('The vault is gone.')) } };
  await assert.rejects(logIn(world, token, csr, broken), { message: 'The vault is gone.' });

  world.clock.advance(10 * SECOND_MS);
  const before = world.clock.now().getTime();
  await assert.rejects(logIn(world, token, csr), { code: 'InProgress', retryAfterSeconds: 5 });
  const waited = world.clock.now().getTime() - before;
  assert.ok(waited >= 5 * SECOND_MS && waited < 6 * SECOND_MS, `waited ${waited} ms`);

  world.clock.advance(20 * SECOND_MS);
  const answer = await logIn(world, token, csr);
  assert.equal(answer.notBefore, '2026-11-21T07:55:00Z', 'the dates of the attempt that was left');
  await assertWhole(world, [certificateOf(answer)]);
});

test('02 no log line ever holds a token', async () => {
  const world = await startedWorld();
  const token = tokenFromVault(world, KMS);
  await logIn(world, token, requestOf(KMS, 'replica'));
  await assert.rejects(logIn(world, `${token.slice(0, -1)}_`, null));
  world.clock.advance(46 * DAY_MS);
  await world.tick();
  const decoded = decodeToken(token);
  assert.ok(typeof decoded !== 'string');
  const secret = decoded.secret.reveal();
  const text = world.lines.join('\n');
  for (const form of [token, toHex(secret), Buffer.from(secret).toString('base64url')]) {
    assert.equal(text.includes(form), false);
  }
  assert.doesNotMatch(text, /elt1_|PRIVATE KEY/);
});
