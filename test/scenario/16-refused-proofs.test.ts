import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../shared/domain/instants.ts';
import type { IdentityId } from '../../shared/domain/names.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import type { ProvenCaller } from '../../shared/use-cases/proven-caller.ts';
import { verifyProof } from '../../shared/use-cases/verify-proof.ts';
import {
  certificateOf,
  identityOf,
  KMS,
  logIn,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
} from '../support/agent.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { makeProof, type ProofParts } from '../support/proofs.ts';
import { handCertificate } from '../unit/pki/support/hand-certificate.ts';
import { keyPair, newKeyPair } from '../unit/pki/support/keys.ts';

const PATH = '/api/bundle/acknowledge';
const BODY = '{"bundleId":"00"}';
const KEY = keyPair('P-256', 'node');

async function loggedIn(): Promise<{ world: World; certificate: Uint8Array }> {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  return { world, certificate: certificateOf(await logIn(world, token, requestOf(NODE_AGENT, 'node'))) };
}

function prove(
  world: World,
  certificate: Uint8Array,
  parts: Partial<ProofParts> = {},
  sent: { path?: string; body?: string | null } = {},
): Promise<ProvenCaller> {
  const { path = PATH, body = BODY } = sent;
  const proof = makeProof({
    certificate,
    key: KEY,
    path: PATH,
    body: BODY,
    now: world.clock.now(),
    ...parts,
  });
  const bytes = body === null ? null : new TextEncoder().encode(body);
  const method = body === null ? 'GET' : 'POST';
  return verifyProof(world.deps, world.run, { proof, method, path, body: bytes });
}

/** Writes fields of an identity over what the record says. */
async function change(world: World, id: IdentityId, fields: object): Promise<void> {
  const stored = await world.deps.identities.identity(id);
  assert.ok(stored !== null);
  const value = { ...stored.value, ...fields };
  await world.deps.identities.commit(id.cluster, [
    { op: 'replace', kind: 'identity', value, etag: stored.etag },
  ]);
}

test('16 a proof by the key of its certificate tells who sends a request, and the record says when', async () => {
  const { world, certificate } = await loggedIn();
  world.clock.advance(DAY_MS);
  const caller = await prove(world, certificate);
  assert.equal(caller.identity.name, 'NodeAgent');
  assert.equal(caller.instance?.head.serialNumber, caller.record.serialNumber);
  const [line] = await world.deps.identities.instances(NODE_AGENT);
  assert.deepEqual(line?.provenAt, world.clock.now());
  assert.deepEqual((await identityOf(world, NODE_AGENT)).lastSeenAt, world.clock.now());

  world.clock.advance(HOUR_MS);
  const { deps, calls } = recordCalls(world.deps);
  await prove({ ...world, deps }, certificate);
  assert.deepEqual(
    calls.filter((call) => call.includes('commit')),
    [],
  );
});

test('16 a proof for GET has no body to speak of', async () => {
  const { world, certificate } = await loggedIn();
  await prove(world, certificate, { method: 'GET', body: null }, { body: null });
});

test('16 a proof for another path, method or body, or without an id, is refused and says what is wrong', async () => {
  const { world, certificate } = await loggedIn();
  const refused: [Partial<ProofParts>, string][] = [
    [{ path: '/api/token/rotate' }, 'wrong-url'],
    [{ baseUrl: 'https://other.test' }, 'wrong-url'],
    [{ method: 'PUT' }, 'wrong-method'],
    [{ body: '{"bundleId":"01"}' }, 'wrong-body'],
    [{ body: null }, 'wrong-body'],
    [{ claims: { jti: '' } }, 'no-id'],
    [{ header: { crit: ['b64'] } }, 'malformed'],
    [{ header: { alg: 'RS256' } }, 'unsupported-signature-algorithm'],
  ];
  for (const [parts, reason] of refused) {
    await assert.rejects(prove(world, certificate, parts), { code: 'InvalidProof', details: { reason } });
  }
});

test('16 a proof that is more than five minutes off is told the time', async () => {
  const { world, certificate } = await loggedIn();
  for (const off of [-5 * MINUTE_MS - 1000, 5 * MINUTE_MS + 1000]) {
    const now = new Date(world.clock.now().getTime() + off);
    await assert.rejects(prove(world, certificate, { now }), {
      code: 'InvalidProof',
      details: { reason: 'stale', serverTime: '2026-11-21T08:00:00Z' },
    });
  }
});

test('16 a certificate that is not ours and a signature that is not its key’s get one answer', async () => {
  const { world, certificate } = await loggedIn();
  const authority = (await world.deps.fleet.authorities())[0]?.certificate ?? new Uint8Array();
  const ours = certificate.slice();
  // The last byte belongs to the signature: everything that names the certificate is still right.
  ours[ours.length - 1] = (ours.at(-1) ?? 0) ^ 1;
  const refused: [Uint8Array, Partial<ProofParts>][] = [
    [certificate, { key: newKeyPair('P-256') }],
    [handCertificate({ key: KEY }), {}],
    [ours, {}],
    [authority, {}],
  ];
  for (const [shown, parts] of refused) {
    await assert.rejects(prove(world, shown, parts), {
      code: 'InvalidProof',
      message: 'The proof is not valid.',
      details: {},
    });
  }
  const { deps, calls } = recordCalls(world.deps);
  await assert.rejects(prove({ ...world, deps }, certificate, { key: newKeyPair('P-256') }));
  assert.deepEqual(
    calls.filter((call) => call.startsWith('identities.')),
    [],
    'a signature that is wrong must not make the record work',
  );
});

test('16 a revoked identity, a locked line and an expired certificate each hear which it is', async () => {
  const { world, certificate } = await loggedIn();
  const [line] = await world.deps.identities.instances(NODE_AGENT);
  const stored = await world.deps.identities.instance(NODE_AGENT, line?.id ?? '');
  assert.ok(stored !== null);

  await change(world, NODE_AGENT, { revokedAt: world.clock.now() });
  await assert.rejects(prove(world, certificate), {
    code: 'Revoked',
    details: { reason: 'identity-revoked' },
  });
  await change(world, NODE_AGENT, { revokedAt: null });

  const locked = { ...stored.value, lockedAt: world.clock.now() };
  await world.deps.identities.commit('management', [
    { op: 'replace', kind: 'instance', value: locked, etag: stored.etag },
  ]);
  await assert.rejects(prove(world, certificate), { code: 'Locked' });
  const lockedRow = await world.deps.identities.instance(NODE_AGENT, stored.value.id);
  await world.deps.identities.commit('management', [
    { op: 'replace', kind: 'instance', value: stored.value, etag: lockedRow?.etag ?? '' },
  ]);

  world.clock.advance(90 * DAY_MS - 1);
  await prove(world, certificate);
  world.clock.advance(1);
  await assert.rejects(prove(world, certificate), {
    code: 'Expired',
    details: { reason: 'certificate-expired' },
  });
});

test('16 a certificate that a login has replaced proves nothing any more', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  const csr = requestOf(NODE_AGENT, 'node');
  const first = certificateOf(await logIn(world, token, csr));
  world.clock.advance(11 * MINUTE_MS);
  const second = certificateOf(await logIn(world, token, csr));
  await assert.rejects(prove(world, first), {
    code: 'Expired',
    details: { reason: 'certificate-superseded' },
  });
  await prove(world, second);
});

test('16 any certificate of the vault’s line counts until its end, because clients pick up new versions late', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const before = (await identityOf(world, KMS)).certificate.head;
  const version = await world.clientVault.current('client--management--kms');
  assert.ok(before !== null && version !== null);
  const key = { privateKey: world.clientVault.keyOf(version.keyId) };
  world.clock.advance(46 * DAY_MS);
  await world.tick();
  assert.notEqual((await identityOf(world, KMS)).certificate.head?.serialNumber, before.serialNumber);
  const record = await world.deps.identities.certificate(KMS, before.serialNumber);
  assert.ok(record !== null);
  const caller = await prove(world, record.der, { key });
  assert.equal(caller.instance, null);
  assert.deepEqual((await identityOf(world, KMS)).lastSeenAt, world.clock.now());
});
