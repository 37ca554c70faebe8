/** 51 An outside root: the company's own root signs the authority's request, and stays what everybody trusts. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { type Authority, isActive } from '../../shared/domain/authority.ts';
import { AWAITS_OUTSIDE_ROOT, planRoll } from '../../shared/domain/authority-plan.ts';
import { MANAGEMENT_CLIENTS } from '../../shared/domain/identity.ts';
import { DAY_MS, toInstant } from '../../shared/domain/instants.ts';
import { vaultAuthorityName } from '../../shared/domain/names.ts';
import type { Policy } from '../../shared/domain/policy.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { decodePem, encodePem } from '../../shared/pki/pem.ts';
import { chainOf, readAuthorities, readTrustBundle } from '../../shared/use-cases/authorities.ts';
import { ensureDeployment } from '../../shared/use-cases/deployment.ts';
import type { Deps } from '../../shared/use-cases/deps.ts';
import { ensureAuthority, firstStart } from '../../shared/use-cases/first-start.ts';
import { logInWithToken } from '../../shared/use-cases/log-in-with-token.ts';
import type { LoginAnswer } from '../../shared/use-cases/login-answer.ts';
import {
  activateByHand,
  cancelByHand,
  prepareByHand,
  rollNow,
} from '../../shared/use-cases/manage-authorities.ts';
import { issueLoginFile } from '../../shared/use-cases/manage-identity.ts';
import { taintByHand } from '../../shared/use-cases/manage-taint.ts';
import { readOutsideCertificate } from '../../shared/use-cases/outside-certificate.ts';
import { readOutsideRequest } from '../../shared/use-cases/outside-request.ts';
import { prepareSuccessor } from '../../shared/use-cases/prepare-successor.ts';
import { rollAuthority } from '../../shared/use-cases/roll-authority.ts';
import { readRollFacts } from '../../shared/use-cases/roll-facts.ts';
import { runTimer } from '../../shared/use-cases/run-timer.ts';
import { takeOutsideCertificate } from '../../shared/use-cases/take-outside-certificate.ts';
import {
  certificateOf,
  logIn,
  management,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
  tokenFromVault,
} from '../support/agent.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';
import { AUTHORITY_EXTENSIONS, OutsideRoot, type SigningWishes } from '../support/outside-root.ts';
import { readyKeys } from '../support/ready-keys.ts';

const START = new Date('2026-11-21T08:00:00Z');
const root = new OutsideRoot(START);
const otherRoot = new OutsideRoot(START, 'Contoso Root 2');
after(() => {
  root.remove();
  otherRoot.remove();
});

/** Twice as many as there are clients in the vault: making RSA keys is not what this is about. */
const KEYS = 16;
const outside = () => memoryWorld({ authorityRoot: 'outside' }, readyKeys(KEYS));
const withPolicy = (deps: Deps, policy: Partial<Policy>): Deps => ({
  ...deps,
  policy: { ...deps.policy, ...policy },
});

/** The authority whose request waits. */
async function waitingId(world: World): Promise<string> {
  const waiting = (await world.deps.fleet.authorities()).find(({ state }) => state === 'Creating');
  return waiting?.id ?? assert.fail('no authority waits');
}

/** What an operator does: fetches the request, has it signed, and brings the certificate. */
async function bring(
  world: World,
  wishes: SigningWishes = {},
  signer = root,
  deps = world.deps,
): Promise<Authority> {
  const id = await waitingId(world);
  const csr = await readOutsideRequest(deps, world.run, id);
  return takeOutsideCertificate(deps, world.run, id, signed(signer, csr, wishes));
}

function signed(signer: OutsideRoot, csr: string, wishes: SigningWishes = {}) {
  return readOutsideCertificate({ certificate: signer.sign(csr, wishes), chain: signer.pem });
}

/** `openssl verify` of a leaf at the world's time. */
function verify(world: World, leaf: string, chain: string, trusted: string, purpose = 'sslclient'): string {
  const { openssl } = root;
  openssl.write('leaf.pem', leaf);
  openssl.write('chain.pem', chain);
  openssl.write('trusted.pem', trusted);
  const at = String(Math.floor(world.clock.now().getTime() / 1000));
  const untrusted = chain === '' ? [] : ['-untrusted', 'chain.pem'];
  const found = ['-CAfile', 'trusted.pem', ...untrusted, '-purpose', purpose, 'leaf.pem'];
  return openssl.attempt('verify', '-no-CApath', '-no-CAstore', '-attime', at, ...found).output.trim();
}

async function roll(world: World): Promise<string> {
  await runTimer(world.deps, world.run, 'roll-authority', rollAuthority);
  const all = [...(await world.deps.fleet.authorities())];
  return all
    .sort((a, b) => a.issuedAt.getTime() - b.issuedAt.getTime())
    .map(({ state }) => state)
    .join(' ');
}

/** Every client says that it holds the bundle: those of the vault by their tokens, NodeAgent with a request. */
async function everybodyLogsIn(world: World): Promise<LoginAnswer> {
  const { id: bundleId } = await readTrustBundle(world.deps);
  for (const { name, delivery } of MANAGEMENT_CLIENTS) {
    if (delivery !== 'vault') continue;
    const token = tokenFromVault(world, management(name));
    await logInWithToken(world.deps, world.run, { token, csr: null, bundleId });
  }
  const csr = requestOf(NODE_AGENT, 'node');
  const token = await tokenFromLoginFile(world, NODE_AGENT);
  return logInWithToken(world.deps, world.run, { token, csr, bundleId });
}

test('51 a deployment waits for its root, goes on when the certificate comes, and the next one changes nobody’s trust', async () => {
  const world = outside();
  await world.tick();
  const waiting = await waitingId(world);
  await assert.rejects(readTrustBundle(world.deps), { code: 'NotReady', message: new RegExp(waiting) });
  assert.ok(world.lines.some((line) => line.includes(`GET /api/authorities/${waiting}/csr`)));
  const csr = await readOutsideRequest(world.deps, world.run, waiting);
  root.openssl.write('seen.csr', csr);
  assert.match(root.openssl.attempt('req', '-in', 'seen.csr', '-verify', '-noout').output, /verify OK/);
  // Another day, another tick: the same request, and nothing else.
  world.clock.advance(3 * DAY_MS);
  await world.tick();
  assert.equal(await readOutsideRequest(world.deps, world.run, waiting), csr);
  assert.equal((await world.deps.fleet.authorities()).length, 1);
  assert.equal((await world.deps.fleet.clusters()).length, 0);

  const prepared = await bring(world, { notAfter: new Date(START.getTime() + 400 * DAY_MS) });
  assert.deepEqual([prepared.state, prepared.id], ['Prepared', waiting]);
  assert.equal(toInstant(prepared.notAfter), '2027-12-26T08:00:00Z');
  await world.tick();
  const { bundle } = await readAuthorities(world.deps);
  assert.equal(bundle.pem, root.pem);

  const first = await everybodyLogsIn(world);
  assert.equal(first.caBundle, root.pem);
  assert.equal(first.chain, encodePem('CERTIFICATE', prepared.certificate ?? new Uint8Array()));
  assert.equal(verify(world, first.certificate, first.chain, first.caBundle), 'leaf.pem: OK');

  // Half of its life later the next one is asked for; a human has months to sign it.
  for (let month = 0; month < 7; month++) {
    world.clock.advance(29 * DAY_MS);
    await world.tick();
  }
  assert.equal(await roll(world), 'Active Creating');
  const facts = await readRollFacts(world.deps);
  assert.deepEqual(planRoll(facts)[0]?.blockedBy, [AWAITS_OUTSIDE_ROOT]);
  assert.equal(await roll(world), 'Active Creating');
  const latest = await logInWithToken(world.deps, world.run, {
    token: await tokenFromNewFile(world),
    csr: requestOf(NODE_AGENT, 'node 2'),
    bundleId: bundle.id,
  });

  const second = await bring(world);
  assert.equal(second.state, 'Prepared');
  assert.deepEqual(second.crossCertificates, []);
  // Nobody has to do anything: who holds the root holds what the next one needs.
  assert.equal(await roll(world), 'Retiring Active');
  const now = await readAuthorities(world.deps);
  assert.equal(now.bundle.id, bundle.id);
  assert.equal(now.active?.id, second.id);
  assert.equal(verify(world, latest.certificate, latest.chain, first.caBundle), 'leaf.pem: OK');
  const newest = await logIn(world, await tokenFromNewFile(world), requestOf(NODE_AGENT, 'node 3'));
  assert.equal(newest.bundleId, first.bundleId);
  assert.equal(verify(world, newest.certificate, newest.chain, first.caBundle), 'leaf.pem: OK');
  assert.notEqual(newest.chain, first.chain);
});

/** A login file with a token that still works: rotations have replaced the first one. */
async function tokenFromNewFile(world: World): Promise<string> {
  const { yaml } = await issueLoginFile(world.deps, world.run, NODE_AGENT, false);
  return /^token: (\S+)$/m.exec(yaml.reveal())?.[1] ?? assert.fail('no token');
}

test('51 what is refused leaves the authority waiting as it was', async () => {
  const world = outside();
  await firstStart(world.deps, world.run);
  const id = await waitingId(world);
  const before = await world.deps.fleet.authority(id);
  const without = (word: string) => AUTHORITY_EXTENSIONS.filter((line) => !line.startsWith(word));
  const wishes: [string, SigningWishes][] = [
    ['not-an-authority', { extensions: ['basicConstraints = critical, CA:FALSE', ...without('basic')] }],
    ['not-an-authority', { extensions: without('keyUsage') }],
    [
      'no-key-identifier',
      { extensions: [...without('subjectKeyIdentifier'), 'subjectKeyIdentifier = none'] },
    ],
    ['narrow-purposes', { extensions: [...AUTHORITY_EXTENSIONS, 'extendedKeyUsage = serverAuth'] }],
    [
      'narrow-names',
      { extensions: [...AUTHORITY_EXTENSIONS, 'nameConstraints = permitted;URI:.other.test'] },
    ],
    ['ends-too-soon', { notAfter: new Date(START.getTime() + 179 * DAY_MS) }],
    ['not-in-force', { notBefore: new Date(START.getTime() + 1000) }],
    ['outlives-issuer', { notAfter: new Date(START.getTime() + 3651 * DAY_MS) }],
  ];
  for (const [reason, wish] of wishes) {
    await assert.rejects(
      bring(world, wish),
      (error: { code: string; details: object }) => {
        assert.deepEqual([error.code, Reflect.get(error.details, 'reason')], ['InvalidInput', reason]);
        return true;
      },
      reason,
    );
  }
  const pinned = withPolicy(world.deps, { authorityRoots: ['ab'.repeat(32)] });
  await assert.rejects(bring(world, {}, root, pinned), {
    details: { reason: 'unexpected-root', pointer: '/chain' },
  });
  const rights = {
    may: async () => ({ allowed: false, reason: 'NoRole' }) as never,
    demand: async (action: string) => assert.fail(action),
  };
  const csr = await readOutsideRequest(world.deps, world.run, id);
  const given = signed(root, csr);
  await assert.rejects(takeOutsideCertificate(world.deps, { ...world.run, rights }, id, given), {
    message: 'admin/issue',
  });
  await assert.rejects(takeOutsideCertificate(world.deps, world.run, 'ffffffff', given), {
    code: 'NotFound',
  });
  await assert.rejects(readOutsideRequest(world.deps, world.run, 'ffffffff'), { code: 'NotFound' });
  assert.throws(() => readOutsideCertificate({ certificate: root.pem + root.pem, chain: '' }), {
    details: { reason: 'several-pem-blocks', pointer: '/certificate' },
  });
  assert.throws(() => readOutsideCertificate({ certificate: root.pem, chain: `Subject: x\n${root.pem}` }), {
    details: { reason: 'not-pem', pointer: '/chain' },
  });
  assert.deepEqual(await world.deps.fleet.authority(id), before);

  // The same again is the same; another one is too late, and so is the request.
  const taken = await takeOutsideCertificate(world.deps, world.run, id, given);
  assert.deepEqual(await takeOutsideCertificate(world.deps, world.run, id, given), taken);
  await assert.rejects(takeOutsideCertificate(world.deps, world.run, id, signed(root, csr)), {
    code: 'AlreadyExists',
  });
  await assert.rejects(readOutsideRequest(world.deps, world.run, id), { code: 'NotFound' });
});

test('51 a request that the vault has lost is made again, and what was signed for the old one is refused', async () => {
  const world = outside();
  await firstStart(world.deps, world.run);
  const id = await waitingId(world);
  const old = await readOutsideRequest(world.deps, world.run, id);
  await world.authorityVault.discardPending(vaultAuthorityName(id));
  await assert.rejects(takeOutsideCertificate(world.deps, world.run, id, signed(root, old)), {
    details: { reason: 'wrong-key', pointer: '/certificate' },
  });
  assert.notEqual(await readOutsideRequest(world.deps, world.run, id), old);
  assert.equal((await bring(world)).state, 'Prepared');
});

test('51 a first request that was given up is followed by another, and by one alone', async () => {
  const world = outside();
  await world.tick();
  const first = await waitingId(world);
  await cancelByHand(world.deps, world.run, first);
  await world.tick();
  const second = await waitingId(world);
  assert.notEqual(second, first);
  await cancelByHand(world.deps, world.run, second);
  await rollNow(world.deps, world.run);
  const third = await waitingId(world);
  await world.tick();
  assert.deepEqual((await world.deps.fleet.authorities()).length, 3);
  await bring(world);
  await world.tick();
  assert.equal((await readAuthorities(world.deps)).active?.id, third);
});

test('51 a deployment that began without a root gets one: the old authority vouches for the first below it', async () => {
  const world = memoryWorld({}, readyKeys(KEYS));
  await firstStart(world.deps, world.run);
  const { caBundle: oldBundle } = await everybodyLogsIn(world);
  const deps = withPolicy(world.deps, { authorityRoot: 'outside' });
  world.clock.advance(DAY_MS);
  await prepareSuccessor(deps, world.run);
  const next = await bring(world, {}, root, deps);
  assert.equal(next.crossCertificates.length, 1);
  for (let step = 0; step < 2; step++) await rollAuthority(deps, world.run);
  world.clock.advance(276 * DAY_MS);
  await rollAuthority(deps, world.run);

  const { bundle, all, active } = await readAuthorities(deps);
  assert.equal(active?.id, next.id);
  assert.equal(bundle.pem, oldBundle + root.pem);
  const leaf = await logIn(world, await tokenFromNewFile(world), requestOf(NODE_AGENT, 'node 2'), deps);
  for (const trusted of [oldBundle, bundle.pem]) {
    assert.equal(verify(world, leaf.certificate, leaf.chain, trusted), 'leaf.pem: OK');
  }
  // Those that know the root alone need it as soon as the old authority has retired.
  const later = all.filter(isActive);
  const chain = chainOf(later, next.id, world.clock.now()).map((der) => encodePem('CERTIFICATE', der));
  assert.equal(verify(world, leaf.certificate, chain.join(''), root.pem), 'leaf.pem: OK');
  const { authorityKeyId } = parseCertificate(certificateOf(leaf));
  const { subjectKeyId } = parseCertificate(next.certificate ?? new Uint8Array());
  assert.deepEqual(authorityKeyId, subjectKeyId);
});

test('51 after a taint the retiring authorities vouch for one below a root as well', async () => {
  const world = memoryWorld();
  await ensureDeployment(world.deps);
  await ensureAuthority(world.deps, world.run);
  world.clock.advance(DAY_MS);
  const second = await prepareByHand(world.deps, world.run);
  await activateByHand(world.deps, world.run, second.id, true);
  const deps = withPolicy(world.deps, { authorityRoot: 'outside' });
  await taintByHand(deps, world.run, second.id, 'lost');
  const next = await bring(world, {}, root, deps);
  const others = (await world.deps.fleet.authorities()).filter(({ id }) => id !== next.id);
  const vouching = next.crossCertificates.map(({ issuerId }) => issuerId);
  assert.deepEqual([...vouching].sort(), others.map(({ id }) => id).sort());
});

/** A deployment with an authority below a root, and nothing else. */
async function authorityBelow(world: World, wishes: SigningWishes = {}): Promise<void> {
  await ensureDeployment(world.deps);
  assert.equal(await ensureAuthority(world.deps, world.run), false);
  await bring(world, wishes);
  assert.equal(await ensureAuthority(world.deps, world.run), true);
}

test('51 when the company has another root, the old authority vouches where its own path leaves room for it', async () => {
  const roomy = AUTHORITY_EXTENSIONS.map((line) => line.replace('pathlen:0', 'pathlen:1'));
  for (const [extensions, vouches] of [
    [roomy, true],
    [AUTHORITY_EXTENSIONS, false],
  ] as const) {
    const world = outside();
    await authorityBelow(world, { extensions });
    const { active } = await readAuthorities(world.deps);
    world.clock.advance(DAY_MS);
    assert.equal(await prepareSuccessor(world.deps, world.run), null);
    const next = await bring(world, {}, otherRoot);
    assert.equal(next.crossCertificates.length, vouches ? 1 : 0);
    assert.equal(
      world.lines.some((line) => line.includes('does not cross-sign')),
      !vouches,
    );
    await rollAuthority(world.deps, world.run);
    const { all, bundle } = await readAuthorities(world.deps);
    assert.equal(bundle.pem, root.pem + otherRoot.pem);
    const chain = chainOf(all, next.id, world.clock.now());
    const own = next.certificate;
    const crossed = next.crossCertificates.map(({ certificate }) => certificate);
    assert.deepEqual(chain, vouches ? [crossed[0], active?.certificate, own] : [own]);
    const [cross] = crossed;
    if (!vouches || cross == null) continue;
    const old = encodePem('CERTIFICATE', active?.certificate ?? new Uint8Array());
    const crossPem = encodePem('CERTIFICATE', cross);
    assert.equal(verify(world, crossPem, old, root.pem, 'any'), 'leaf.pem: OK');
  }
});

test('51 who thinks better of it goes on without a root', async () => {
  const world = outside();
  await firstStart(world.deps, world.run);
  const id = await waitingId(world);
  const deps = withPolicy(world.deps, { authorityRoot: 'self' });
  await assert.rejects(readOutsideRequest(deps, world.run, id), { code: 'NotFound' });
  await firstStart(deps, world.run);
  const { active, bundle } = await readAuthorities(deps);
  assert.equal(active?.id, id);
  assert.deepEqual(decodePem(bundle.pem, 'CERTIFICATE'), active?.certificate);
});

test('51 a certificate whose key the vault has lost is never taken for an authority', async () => {
  const world = outside();
  await ensureDeployment(world.deps);
  await ensureAuthority(world.deps, world.run);
  const id = await waitingId(world);
  const name = vaultAuthorityName(id);
  const lost: Deps = {
    ...world.deps,
    fleet: new Proxy(world.deps.fleet, {
      get: (fleet, property) =>
        property !== 'replaceAuthority'
          ? Reflect.get(fleet, property, fleet).bind?.(fleet)
          : async (...args: Parameters<typeof fleet.replaceAuthority>) => {
              await fleet.replaceAuthority(...args);
              await world.authorityVault.discardPending(name);
            },
    }),
  };
  await assert.rejects(bring(world, {}, root, lost), {
    code: 'VaultRefused',
    message: /cancel the authority/,
  });
  await assert.rejects(ensureAuthority(world.deps, world.run), { code: 'VaultRefused' });
  assert.equal((await readAuthorities(world.deps)).active, null);
});
