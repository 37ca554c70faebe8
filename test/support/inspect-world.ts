import assert from 'node:assert/strict';
import type { MemoryVault } from '../../shared/adapters/memory/memory-vault.ts';
import { recordCodecs } from '../../shared/adapters/storage/record-rows.ts';
import { toHex } from '../../shared/domain/encoding.ts';
import type { CertificateRecord, Identity } from '../../shared/domain/identity.ts';
import { identityText, vaultCertificateName, vaultTokenName } from '../../shared/domain/names.ts';
import { RECORD_SHARDS } from '../../shared/domain/sharding.ts';
import { decodeToken } from '../../shared/domain/token.ts';
import { parseCertificate } from '../../shared/pki/certificate.ts';
import type { World } from './memory-world.ts';

const FAR_AWAY = new Date('2100-01-01T00:00:00Z');
const KINDS = ['certificate', 'token'] as const;

/** How much of everything there is, without what chance decides: two runs that came to the same are equal here. */
export interface Inventory {
  readonly certificatesInForce: readonly string[];
  readonly generations: Readonly<Record<string, number>>;
  readonly vaultVersions: Readonly<Record<string, number>>;
}

export async function takeInventory(world: World): Promise<Inventory> {
  const identities = await allIdentities(world);
  const inForce: string[] = [];
  for (const identity of identities) {
    if (identity.certificate.head !== null) inForce.push(`${identityText(identity)} vault`);
    const instances = await world.deps.identities.instances(identity);
    inForce.push(...instances.map(({ id }) => `${identityText(identity)} ${id}`));
  }
  const generations = identities.flatMap((identity) =>
    KINDS.map((kind) => [`${identityText(identity)} ${kind}`, identity[kind].generation] as const),
  );
  const names = world.clientVault.names();
  return {
    certificatesInForce: inForce.sort(),
    generations: Object.fromEntries(generations),
    vaultVersions: Object.fromEntries(names.map((name) => [name, world.clientVault.versions(name).length])),
  };
}

/**
 * What must hold whenever nobody is at work: nothing half done, record and vault say the same, one due row per
 * credential, and never two certificates with one serial number among those that anybody got to see.
 * @param released certificates that left the product otherwise, for example in answers to logins
 */
export async function assertWhole(world: World, released: readonly Uint8Array[] = []): Promise<void> {
  await assertNothingPending(world.authorityVault);
  await assertNothingPending(world.clientVault);
  for (const identity of await allIdentities(world)) {
    if (identity.delivery === 'vault') await assertDelivered(world, identity);
  }
  await assertDueRows(world);
  await assertSerialNumbers(world, released);
}

export async function allIdentities(world: World): Promise<readonly Identity[]> {
  return (await world.deps.identities.identities({ limit: 1000 })).items;
}

/** Every certificate of the record. */
export async function allCertificates(world: World): Promise<readonly CertificateRecord[]> {
  const shards = Array.from({ length: RECORD_SHARDS }, (_, shard) => String(shard).padStart(2, '0'));
  const rows = await Promise.all(
    shards.map((shard) => world.tables.record.range(shard, 'c|', 'c}', Number.POSITIVE_INFINITY)),
  );
  return rows.flat().map((row) => recordCodecs.certificate.decode(row));
}

export async function assertNothingPending(vault: MemoryVault): Promise<void> {
  for (const name of vault.names()) {
    const { state } = await vault.pending(name);
    assert.ok(state === 'none' || state === 'ended', `"${name}" has an operation that is ${state}`);
  }
}

async function assertDelivered(world: World, identity: Identity): Promise<void> {
  const who = identityText(identity);
  const { head, attempt } = identity.certificate;
  assert.equal(attempt, null, `${who} has an attempt left`);
  assert.ok(head !== null, `${who} has no certificate`);
  const current = await world.clientVault.current(vaultCertificateName(identity));
  const record = await world.deps.identities.certificate(identity, head.serialNumber);
  assert.ok(current !== null && record !== null, `${who}: vault or record lacks the certificate`);
  assert.equal(toHex(current.der), toHex(record.der), `${who}: vault and record differ`);
  assert.equal(current.version, head.vaultVersion, `${who}: the head names another version`);
  const secret = world.clientSecrets.versions(vaultTokenName(identity)).at(-1);
  const token = decodeToken(secret?.value.reveal() ?? '');
  assert.ok(typeof token !== 'string', `${who}: the vault holds no token`);
  assert.equal(toHex(token.id), identity.token.id, `${who}: the vault holds another token`);
}

export async function assertDueRows(world: World): Promise<void> {
  const rows = await world.deps.identities.due(FAR_AWAY, Number.POSITIVE_INFINITY);
  const expected = (await allIdentities(world))
    .flatMap((identity) => KINDS.map((kind) => identity[kind].dueKey))
    .filter((key) => key !== null);
  assert.deepEqual(rows.map(({ key }) => key).sort(), expected.sort(), 'due rows and the record differ');
}

export async function assertSerialNumbers(world: World, released: readonly Uint8Array[]): Promise<void> {
  const inVaults = [world.authorityVault, world.clientVault].flatMap((vault) =>
    vault.names().flatMap((name) => vault.versions(name).map(({ der }) => der)),
  );
  const recorded = (await allCertificates(world)).map(({ der }) => der);
  const bySerial = new Map<string, string>();
  for (const der of [...inVaults, ...recorded, ...released]) {
    const { serialNumber } = parseCertificate(der);
    const known = bySerial.get(serialNumber) ?? toHex(der);
    assert.equal(toHex(der), known, `two certificates have the serial number ${serialNumber}`);
    bySerial.set(serialNumber, known);
  }
}
