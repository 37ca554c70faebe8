import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS } from '../../shared/domain/instants.ts';
import { vaultAuthorityName, vaultCertificateName, vaultTokenName } from '../../shared/domain/names.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { readPublicKey } from '../../shared/pki/public-key.ts';
import { doWork } from '../../shared/use-cases/do-work.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { identityOf, KMS } from '../support/agent.ts';
import { dieBefore } from '../support/faults.ts';
import { assertWhole } from '../support/inspect-world.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { specOf } from '../support/key-spec.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

const NAME = vaultCertificateName(KMS);
const RENEWAL = { v: 1, identity: KMS, kind: 'certificate', generation: 1 } as const;

const SPEC = specOf('RSA-2048');

async function dueWorld(): Promise<World> {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  world.clock.advance(46 * DAY_MS);
  return world;
}

async function assertRenewed(world: World): Promise<void> {
  const { certificate } = await identityOf(world, KMS);
  assert.equal(certificate.generation, 2);
  assert.equal(certificate.failure, null);
  await assertWhole(world);
}

test('10 a name that somebody deleted is recovered, and renewed with its earlier versions', async () => {
  const world = await dueWorld();
  world.clientVault.softDelete(NAME);
  await doWork(world.deps, world.run, RENEWAL);
  assert.equal(world.clientVault.versions(NAME).length, 2);
  await assertRenewed(world);
});

test('10 a deleted secret of a token is recovered as well', async () => {
  const world = await dueWorld();
  world.clientSecrets.softDelete(vaultTokenName(KMS));
  await doWork(world.deps, world.run, { ...RENEWAL, kind: 'token', generation: 0 });
  assert.equal(world.clientSecrets.versions(vaultTokenName(KMS)).length, 2);
});

test('10 a request that somebody made under the name of a client is used, because the name is its alone', async () => {
  const world = await dueWorld();
  await world.clientVault.request(NAME, SPEC);
  const { deps, calls } = recordCalls(world.deps);
  await doWork(deps, world.run, RENEWAL);
  assert.equal(calls.includes('clientVault.request'), false);
  await assertRenewed(world);
});

test('10 a request for another type of key is thrown away and made anew', async () => {
  const world = await dueWorld();
  await world.clientVault.request(NAME, specOf('EC-P256'));
  await doWork(world.deps, world.run, RENEWAL);
  const current = await world.clientVault.current(NAME);
  assert.equal(readPublicKey(parseCertificate(current?.der ?? new Uint8Array()).spki).type, 'RSA');
  await assertRenewed(world);
});

test('10 an operation of the vault itself ends first, then the renewal goes on', async () => {
  const world = await dueWorld();
  await world.clientVault.createSelfSigned(NAME, SPEC);
  await doWork(world.deps, world.run, RENEWAL);
  await assertRenewed(world);
});

/** Where in a renewal the process dies: the first call of that kind, counted in a renewal that nothing disturbs. */
async function callNumber(wanted: string): Promise<number> {
  const world = await dueWorld();
  const { deps, calls } = recordCalls(world.deps);
  await doWork(deps, world.run, RENEWAL);
  const index = calls.indexOf(wanted);
  assert.ok(index >= 0, `${wanted} is not called`);
  return index + 1;
}

for (const [moment, wanted] of [
  ['before its key was written down', 'identities.claimKey'],
  ['before it was signed', 'signer.sign'],
  ['before it was merged', 'clientVault.merge'],
] as const) {
  test(`10 a request that is lost after a crash ${moment} costs a new attempt with a new serial number, never a mixed one`, async () => {
    const world = await dueWorld();
    const { deps } = dieBefore(await callNumber(wanted), world.deps);
    await assert.rejects(doWork(deps, world.run, RENEWAL));
    const left = (await identityOf(world, KMS)).certificate.attempt;
    assert.ok(left !== null);
    await world.clientVault.discardPending(NAME);

    world.clock.advance(HOUR_MS);
    await doWork(world.deps, world.run, RENEWAL);
    await assertRenewed(world);
    assert.notEqual((await identityOf(world, KMS)).certificate.head?.serialNumber, left.serialNumber);
    assert.ok(world.lines.some((line) => line.includes(`Gave up certificate ${left.serialNumber}`)));
  });
}

test('10 an attempt that is older than its own renewal date is given up for a fresh one', async () => {
  const world = await dueWorld();
  const { deps } = dieBefore(await callNumber('signer.sign'), world.deps);
  await assert.rejects(doWork(deps, world.run, RENEWAL));
  const left = (await identityOf(world, KMS)).certificate.attempt;
  world.clock.advance(46 * DAY_MS);
  await doWork(world.deps, world.run, RENEWAL);
  await assertRenewed(world);
  assert.notEqual((await identityOf(world, KMS)).certificate.head?.serialNumber, left?.serialNumber);
});

test('10 an authority whose name was deleted in the middle of the first start is recovered', async () => {
  const world = memoryWorld();
  const { deps, calls } = recordCalls(world.deps);
  await firstStart(deps, world.run);
  const disturbed = memoryWorld();
  const dying = dieBefore(calls.indexOf('authorityVault.request') + 1, disturbed.deps);
  await assert.rejects(firstStart(dying.deps, disturbed.run));
  const [authority] = await disturbed.deps.fleet.authorities();
  disturbed.authorityVault.softDelete(vaultAuthorityName(authority?.id ?? ''));
  assert.deepEqual(await firstStart(disturbed.deps, disturbed.run), []);
  await assertWhole(disturbed);
});

test('10 a vault that signs with another key issues nothing', async () => {
  const world = await dueWorld();
  const signer = { sign: async () => new Uint8Array(64).fill(1) };
  await doWork({ ...world.deps, signer }, world.run, RENEWAL);
  const { certificate } = await identityOf(world, KMS);
  assert.equal(certificate.failure?.code, 'VaultRefused');
  assert.equal(world.clientVault.versions(NAME).length, 1);
});
