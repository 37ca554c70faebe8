import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../shared/domain/encoding.ts';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../shared/domain/instants.ts';
import { vaultAuthorityName, vaultCertificateName, vaultTokenName } from '../../shared/domain/names.ts';
import type { KeyType } from '../../shared/domain/policy.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { decodePemBundle } from '../../shared/pki/pem.ts';
import { readPublicKey } from '../../shared/pki/public-key.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import { checkHealth } from '../../shared/use-cases/check-health.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { management } from '../support/agent.ts';
import { refuseCalls } from '../support/faults.ts';
import { allIdentities, assertWhole, takeInventory } from '../support/inspect-world.ts';
import { recordCalls } from '../support/intercepted-ports.ts';
import { memoryWorld } from '../support/memory-world.ts';

const VAULT_CLIENTS = [
  'CAPH',
  'CertManager',
  'CloudAgent',
  'CloudOperator',
  'CloudProvider',
  'CSI',
  'KMS',
  'KVA',
];

test('01 the first start makes the management cluster, and every vault-delivered client finds its credentials', async () => {
  const world = memoryWorld();
  assert.equal((await checkHealth(world.deps)).healthy, false);
  assert.deepEqual(await firstStart(world.deps, world.run), []);
  assert.deepEqual(await checkHealth(world.deps), { healthy: true, codes: [] });

  const identities = await allIdentities(world);
  assert.deepEqual(
    identities.map(({ name }) => name).sort(),
    [...VAULT_CLIENTS, 'Mocctl', 'NodeAgent'].sort(),
  );
  for (const name of VAULT_CLIENTS) {
    assert.equal(world.clientVault.versions(vaultCertificateName(management(name))).length, 1);
    assert.equal(world.clientSecrets.versions(vaultTokenName(management(name))).length, 1);
  }
  await assertWhole(world);
});

test('01 the authority has its key from the vault, its own certificate there, and pathLen 1', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const authority = await readActiveAuthority(world.deps);
  const versions = world.authorityVault.versions(vaultAuthorityName(authority.id));
  // The vault's own self-signed version, made for the sake of its key, and the authority's certificate.
  assert.equal(versions.length, 2);
  const [keyVersion, certificateVersion] = versions;
  assert.equal(toHex(certificateVersion?.der ?? new Uint8Array()), toHex(authority.certificate));
  assert.equal(authority.keyId, certificateVersion?.keyId);
  await assert.rejects(world.deps.signer.sign(keyVersion?.keyId ?? '', 'ES256', new Uint8Array()), {
    code: 'VaultAccessDenied',
  });

  const certificate = parseCertificate(authority.certificate);
  assert.deepEqual(certificate.basicConstraints, { isAuthority: true, pathLength: 1 });
  const now = world.clock.now().getTime();
  assert.equal(certificate.notBefore.getTime(), now - 5 * MINUTE_MS);
  assert.equal(certificate.notAfter.getTime(), now + 365 * DAY_MS - SECOND_MS);
});

test('01 clients find the bundle in their vault', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const bundle = await world.clientSecrets.read('ca-bundle');
  const [only, ...others] = decodePemBundle(bundle?.value.reveal() ?? '', 'CERTIFICATE');
  assert.equal(toHex(only ?? new Uint8Array()), toHex((await readActiveAuthority(world.deps)).certificate));
  assert.deepEqual(others, []);
});

for (const authorityKeyType of ['RSA-2048', 'RSA-3072', 'EC-P256'] as const satisfies KeyType[]) {
  test(`01 an authority with an ${authorityKeyType} key signs certificates that verify`, async () => {
    const world = memoryWorld({ authorityKeyType });
    assert.deepEqual(await firstStart(world.deps, world.run), []);
    const key = readPublicKey(parseCertificate((await readActiveAuthority(world.deps)).certificate).spki);
    assert.equal(key.type === 'RSA' ? `RSA-${key.bits}` : 'EC-P256', authorityKeyType);
  });
}

test('01 a second first start writes nothing', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const before = await takeInventory(world);
  const { deps, calls } = recordCalls(world.deps);
  assert.deepEqual(await firstStart(deps, world.run), []);
  assert.deepEqual(calls, [...world.deps.storage.map(() => 'storage.prepare'), 'fleet.deployment']);
  assert.deepEqual(await takeInventory(world), before);
});

test('01 a new deployment needs nobody: the first tick of the timer does the first start', async () => {
  const world = memoryWorld();
  await world.tick();
  await assertWhole(world);
  assert.equal((await world.deps.fleet.timerRun('renew-due'))?.lastErrorCode, null);
});

test('01 while roles have not arrived the timer notes why, and a later tick does the first start', async () => {
  const world = memoryWorld();
  const noVaults = refuseCalls(world.deps, ({ port }) => /Vault|Secrets/.test(port));
  await assert.rejects(world.tick(noVaults), { code: 'VaultUnavailable' });
  const failed = await world.deps.fleet.timerRun('renew-due');
  assert.equal(failed?.lastErrorCode, 'VaultUnavailable');
  assert.equal(failed?.lastSuccessAt, null);

  world.clock.advance(15 * MINUTE_MS);
  await world.tick();
  await assertWhole(world);
});

test('01 a record laid out for another number of partitions is refused', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const stored = await world.deps.fleet.deployment();
  assert.ok(stored !== null);
  await world.deps.fleet.replaceDeployment({ ...stored.value, shards: 64 }, stored.etag);
  await assert.rejects(firstStart(world.deps, world.run), { code: 'StorageRefused' });
});
