import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toHex } from '../../shared/domain/encoding.ts';
import type { Identity } from '../../shared/domain/identity.ts';
import { DAY_MS } from '../../shared/domain/instants.ts';
import { vaultCertificateName, vaultTokenName } from '../../shared/domain/names.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import { readActiveAuthority } from '../../shared/use-cases/authorities.ts';
import { firstStart } from '../../shared/use-cases/first-start.ts';
import { getPlan } from '../../shared/use-cases/get-plan.ts';
import { allIdentities, assertWhole, takeInventory } from '../support/inspect-world.ts';
import { memoryWorld, type World } from '../support/memory-world.ts';

const DAYS = 365;

async function vaultClients(world: World): Promise<readonly Identity[]> {
  return (await allIdentities(world)).filter(({ delivery }) => delivery === 'vault');
}

async function assertNothingExpired(world: World, day: number): Promise<void> {
  const now = world.clock.now();
  for (const identity of await vaultClients(world)) {
    const current = await world.clientVault.current(vaultCertificateName(identity));
    const { notAfter, notBefore } = parseCertificate(current?.der ?? new Uint8Array());
    assert.ok(
      notBefore <= now && now <= notAfter,
      `day ${day}: the certificate of ${identity.name} has expired`,
    );
    assert.ok(now <= identity.token.expiresAt, `day ${day}: the token of ${identity.name} has expired`);
  }
}

test('03 in steps of a day nothing in the vault is ever expired, also when the authority is followed by the next one', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const first = await readActiveAuthority(world.deps);
  for (let day = 1; day < DAYS; day++) {
    world.clock.advance(DAY_MS);
    await assertNothingExpired(world, day);
    await world.tick();
    if (day % 90 === 0) await assertWhole(world);
  }

  for (const identity of await vaultClients(world)) {
    const { generation, head } = identity.certificate;
    const versions = world.clientVault.versions(vaultCertificateName(identity));
    // Every renewal is a version, counts one, and has a key of its own.
    assert.equal(versions.length, generation);
    assert.equal(head?.renewCount, generation - 1);
    const certificates = versions.map(({ der }) => parseCertificate(der));
    assert.equal(new Set(certificates.map(({ spki }) => toHex(spki))).size, versions.length);
    assert.equal(new Set(certificates.map(({ serialNumber }) => serialNumber)).size, versions.length);
    // 365 days of certificates that are renewed between 36 and 45 days; the last ones are of the next authority.
    assert.ok(generation >= 9 && generation <= 11, `${identity.name} had ${generation} certificates`);
    assert.equal(head?.authorityId, (await readActiveAuthority(world.deps)).id);
    assert.notEqual(head?.authorityId, first.id);

    const secrets = world.clientSecrets.versions(vaultTokenName(identity));
    assert.equal(secrets.length, identity.token.generation + 1);
    assert.ok(identity.token.generation >= 8 && identity.token.generation <= 10);
  }
});

test('03 fifty days at one go renew every certificate and every token once, and a second run nothing', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const first = await vaultClients(world);
  world.clock.advance(50 * DAY_MS);
  await world.tick();
  await assertWhole(world);
  for (const identity of first) {
    const [old, ...renewed] = world.clientVault.versions(vaultCertificateName(identity));
    assert.equal(renewed.length, 1);
    assert.equal(old?.version, identity.certificate.head?.vaultVersion, 'the old version is still there');
    assert.equal(world.clientSecrets.versions(vaultTokenName(identity)).length, 2);
  }
  const once = await takeInventory(world);
  await world.tick();
  assert.deepEqual(await takeInventory(world), once);
});

test('03 eighty-nine days without a tick lose nothing: the first tick afterwards renews what is late', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  world.clock.advance(89 * DAY_MS);
  await assertNothingExpired(world, 89);
  const plan = await getPlan(world.deps, { at: null, cluster: 'management', limit: 500, offset: 0 });
  assert.deepEqual(plan.counts, { renew: 8, rotate: 8, remind: 3 });
  assert.ok(plan.entries.every(({ action, reason }) => action === 'remind' || reason === 'Overdue'));
  await world.tick();
  await assertWhole(world);
  world.clock.advance(2 * DAY_MS);
  await assertNothingExpired(world, 91);
});

test('03 a fleet made together does not renew together', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const moments = (await vaultClients(world)).map(({ certificate }) =>
    certificate.head?.renewAfter.getTime(),
  );
  assert.equal(new Set(moments).size, moments.length);
});

test('03 the plan for the day before the authority ends says that it needs a successor', async () => {
  const world = memoryWorld();
  await firstStart(world.deps, world.run);
  const at = new Date(world.clock.now().getTime() + 364 * DAY_MS);
  const plan = await getPlan(world.deps, { at, cluster: null, limit: 1, offset: 0 });
  const [authority] = plan.entries;
  assert.equal(authority?.kind, 'authority');
  assert.equal(authority?.action, 'prepare');
  assert.match(authority?.text ?? '', /ends at 2027-11-21T07:59:59Z/);
});
