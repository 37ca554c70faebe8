import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collect, restError, startVault, temporaryDirectory } from './harness.ts';
import { issueFor, requestCertificate } from './issuing.ts';

const policy = { subject: 'CN=a', keyType: 'EC', contentType: 'application/x-pem-file' } as const;

describe('Backups', () => {
  test('bring a certificate back with all its versions, keys and ids, under its policy.', async (t) => {
    const { certificates, secrets, keys } = (await startVault(t)).clients;
    const renew = async () => {
      const { leaf } = await issueFor(await requestCertificate(certificates, 'web', policy));
      return certificates.mergeCertificate('web', [leaf]);
    };
    const [first, second] = [await renew(), await renew()];
    const material = (await secrets.getSecret('web')).value;
    await requestCertificate(certificates, 'web', policy);
    const backup = await certificates.backupCertificate('web');
    assert.ok(backup !== undefined);
    await (await certificates.beginDeleteCertificate('web')).pollUntilDone();
    await certificates.purgeDeletedCertificate('web');

    const restored = await certificates.restoreCertificateBackup(backup);
    assert.equal(restored.properties.version, second.properties.version);
    assert.equal(restored.policy?.subject, 'CN=a');
    assert.equal((await secrets.getSecret('web')).value, material);
    assert.equal((await keys.getKey('web')).id, second.keyId);
    const old = await certificates.getCertificateVersion('web', first.properties.version ?? '');
    assert.deepEqual(old.cer, first.cer);
    const pending = certificates.getCertificateOperation('web');
    await assert.rejects(pending, restError(404, 'PendingCertificateNotFound'));
  });

  test('bring a secret back with all its versions, disabled ones too.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    const { properties } = await secrets.setSecret('a', 'one', { tags: { n: '1' }, enabled: false });
    await secrets.setSecret('a', 'two');
    const backup = await secrets.backupSecret('a');
    await (await secrets.beginDeleteSecret('a')).pollUntilDone();
    await secrets.purgeDeletedSecret('a');
    const restored = await secrets.restoreSecretBackup(backup ?? new Uint8Array());
    assert.equal(restored.name, 'a');
    assert.equal((await secrets.getSecret('a')).value, 'two');
    const { items } = await collect(secrets.listPropertiesOfSecretVersions('a'));
    const first = items.find(({ version }) => version === properties.version);
    assert.deepEqual([first?.enabled, first?.tags], [false, { n: '1' }]);
  });

  test('are as large as they have to be.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    for (let n = 0; n < 20; n++) await secrets.setSecret('a', String(n).padEnd(20_000, '.'));
    const backup = (await secrets.backupSecret('a')) ?? new Uint8Array();
    await (await secrets.beginDeleteSecret('a')).pollUntilDone();
    await secrets.purgeDeletedSecret('a');
    await secrets.restoreSecretBackup(backup);
    assert.equal((await collect(secrets.listPropertiesOfSecretVersions('a'))).items.length, 20);
  });

  test('say nothing to whoever holds them, and are never twice the same.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    await secrets.setSecret('a', 'the-secret-value');
    const [one, two] = [await secrets.backupSecret('a'), await secrets.backupSecret('a')];
    const text = Buffer.from(one ?? []).toString('latin1');
    assert.doesNotMatch(text, /the-secret-value|kind|secret/);
    assert.notDeepEqual(one, two);
  });

  test('need a free name: not one in use, nor one that is soft-deleted.', async (t) => {
    const { secrets } = (await startVault(t)).clients;
    await secrets.setSecret('a', 'value');
    const backup = (await secrets.backupSecret('a')) ?? new Uint8Array();
    await assert.rejects(secrets.restoreSecretBackup(backup), {
      ...restError(409, 'Conflict'),
      message: /^Conflict while restoring secret http.*\/secrets\/a\/[0-9a-f]{32} - secret already exists/,
    });
    await (await secrets.beginDeleteSecret('a')).pollUntilDone();
    await assert.rejects(secrets.restoreSecretBackup(backup), {
      ...restError(409, 'Conflict'),
      message: /deleted but recoverable/,
    });
  });

  test('work in every vault of the same state directory, after a restart, and nowhere else.', async (t) => {
    const stateDir = await temporaryDirectory(t);
    const vaults = [{ name: 'clients', port: 0 }];
    const first = await startVault(t, { stateDir, config: { vaults } });
    await first.clients.secrets.setSecret('a', 'value');
    const backup = (await first.clients.secrets.backupSecret('a')) ?? new Uint8Array();
    await first.stop();

    const stranger = await startVault(t);
    await assert.rejects(stranger.clients.secrets.restoreSecretBackup(backup), {
      ...restError(400, 'BadParameter'),
      message: 'Cannot decrypt backup blob',
    });
    const again = await startVault(t, { stateDir, config: { vaults } });
    await (await again.clients.secrets.beginDeleteSecret('a')).pollUntilDone();
    await again.clients.secrets.purgeDeletedSecret('a');
    await again.clients.secrets.restoreSecretBackup(backup);
    assert.equal((await again.clients.secrets.getSecret('a')).value, 'value');
  });

  test('that are none are refused in the words of the service.', async (t) => {
    const { certificates, secrets } = (await startVault(t)).clients;
    const malformed = {
      ...restError(400, 'Malformed backup blob'),
      message: 'Backup blob contains invalid or corrupt version.',
    };
    await assert.rejects(certificates.restoreCertificateBackup(new Uint8Array(99)), malformed);
    await assert.rejects(secrets.restoreSecretBackup(new Uint8Array(99)), malformed);
    await secrets.setSecret('a', 'value');
    const backup = Buffer.from((await secrets.backupSecret('a')) ?? []);
    await assert.rejects(certificates.restoreCertificateBackup(backup), restError(400, 'BadParameter'));
    backup[40] = (backup[40] ?? 0) ^ 1;
    await assert.rejects(secrets.restoreSecretBackup(backup), restError(400, 'BadParameter'));
  });

  test('are made of what is there: not of nothing, of a request, or of the secret of a certificate.', async (t) => {
    const { certificates, secrets } = (await startVault(t)).clients;
    await assert.rejects(certificates.backupCertificate('none'), restError(404, 'CertificateNotFound'));
    await assert.rejects(secrets.backupSecret('none'), restError(404, 'SecretNotFound'));
    await requestCertificate(certificates, 'waiting', policy);
    await assert.rejects(certificates.backupCertificate('waiting'), restError(404, 'CertificateNotFound'));
    await assert.rejects(secrets.backupSecret('waiting'), restError(403, 'Forbidden'));
  });
});
