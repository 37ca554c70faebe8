import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { installShiftedDate, offsetMs, setOffset } from '../../../infra/local/clock/shifted-date.ts';
import type { VaultConfig } from '../../../infra/local/vault/config.ts';
import { type Clients, collect, restError, startVault, temporaryDirectory } from './harness.ts';

installShiftedDate();

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const self = { issuerName: 'Self', subject: 'CN=a', keyType: 'EC', exportable: false } as const;

const vault = (changes: Partial<VaultConfig>) => ({
  config: { vaults: [{ name: 'clients', port: 0, quotas: false, ...changes }] },
});

async function makeAndDelete({ certificates, secrets }: Clients): Promise<Date> {
  await (await certificates.beginCreateCertificate('web', self)).pollUntilDone();
  await secrets.setSecret('token', 'value');
  await (await secrets.beginDeleteSecret('token')).pollUntilDone();
  const deleted = await (await certificates.beginDeleteCertificate('web')).pollUntilDone();
  return deleted.scheduledPurgeDate ?? new Date(0);
}

describe('Soft-deleted objects', () => {
  test('are gone at their scheduled purge date, not before, and their names are free.', async (t) => {
    const { clients } = await startVault(t);
    const { certificates, secrets } = clients;
    const purgedAt = await makeAndDelete(clients);
    setOffset(offsetMs() + (purgedAt.getTime() - Date.now() - HOUR_MS));
    assert.equal((await certificates.getDeletedCertificate('web')).name, 'web');
    assert.equal((await collect(secrets.listDeletedSecrets())).items.length, 1);
    setOffset(offsetMs() + HOUR_MS);
    await assert.rejects(certificates.getDeletedCertificate('web'), restError(404, 'CertificateNotFound'));
    await assert.rejects(secrets.getDeletedSecret('token'), restError(404, 'SecretNotFound'));
    assert.deepEqual((await collect(certificates.listDeletedCertificates())).items, []);
    await assert.rejects(
      certificates.beginRecoverDeletedCertificate('web'),
      restError(404, 'CertificateNotFound'),
    );
    await secrets.setSecret('web', 'any kind may have the name now');
    await (await certificates.beginCreateCertificate('token', self)).pollUntilDone();
  });

  test('that were purged while no process ran are gone from the disk as well.', async (t) => {
    const stateDir = await temporaryDirectory(t);
    const first = await startVault(t, { stateDir });
    await makeAndDelete(first.clients);
    await first.clients.secrets.setSecret('kept', 'value');
    await first.stop();
    setOffset(offsetMs() + 90 * DAY_MS);
    const second = await startVault(t, { stateDir });
    assert.deepEqual(await readdir(join(stateDir, 'clients')), ['kept.json']);
    assert.equal((await second.clients.secrets.getSecret('kept')).value, 'value');
  });

  test('wait as long as the vault was made for, 7 to 90 days.', async (t) => {
    const { clients } = await startVault(t, vault({ retentionDays: 7 }));
    const { properties } = await clients.secrets.setSecret('a', 'value');
    assert.equal(properties.recoveryLevel, 'CustomizedRecoverable+Purgeable');
    assert.equal(properties.recoverableDays, 7);
    const purgedAt = await makeAndDelete(clients);
    assert.ok(Math.abs(purgedAt.getTime() - Date.now() - 7 * DAY_MS) < HOUR_MS);
    await assert.rejects(startVault(t, vault({ retentionDays: 6 })), /7 to 90 are possible/);
  });

  test('cannot be purged in a vault with purge protection; they end by time alone.', async (t) => {
    const { clients } = await startVault(t, vault({ purgeProtection: true }));
    const { certificates, secrets } = clients;
    const { properties } = await secrets.setSecret('a', 'value');
    assert.equal(properties.recoveryLevel, 'Recoverable');
    const purgedAt = await makeAndDelete(clients);
    const refusal = {
      ...restError(403, 'Forbidden'),
      message: /^Operation "purge" is not allowed because purge protection is enabled for this vault\./,
    };
    await assert.rejects(certificates.purgeDeletedCertificate('web'), refusal);
    await assert.rejects(secrets.purgeDeletedSecret('token'), refusal);
    setOffset(offsetMs() + (purgedAt.getTime() - Date.now()));
    await assert.rejects(certificates.getDeletedCertificate('web'), { statusCode: 404 });
  });

  test('of one kind are none of another: each kind has its own routes and its own list.', async (t) => {
    const { clients } = await startVault(t);
    const { certificates, secrets } = clients;
    await makeAndDelete(clients);
    await assert.rejects(secrets.getDeletedSecret('web'), restError(404, 'SecretNotFound'));
    await assert.rejects(certificates.getDeletedCertificate('token'), restError(404, 'CertificateNotFound'));
    await assert.rejects(secrets.purgeDeletedSecret('web'), restError(404, 'SecretNotFound'));
    const { items } = await collect(secrets.listDeletedSecrets());
    assert.deepEqual(
      items.map(({ name }) => name),
      ['token'],
    );
  });
});
