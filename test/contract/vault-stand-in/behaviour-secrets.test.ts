import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openVault } from './any-vault.ts';
import { collect, restError } from './harness.ts';

describe('Any vault: secrets', () => {
  test('keep every version; the latest is the one without a version, whatever the case of the name.', async (t) => {
    const { clients, name } = await openVault(t);
    const { secrets } = clients;
    const token = name('token');
    const first = await secrets.setSecret(token, 'one', { contentType: 'text/plain', tags: { n: '1' } });
    await secrets.setSecret(token, 'two');
    assert.equal((await secrets.getSecret(token.toUpperCase())).value, 'two');
    const old = await secrets.getSecret(token, { version: first.properties.version ?? '' });
    assert.deepEqual([old.value, old.properties.contentType], ['one', 'text/plain']);
    assert.deepEqual(old.properties.tags, { n: '1' });
    const { items } = await collect(secrets.listPropertiesOfSecretVersions(token));
    assert.equal(items.length, 2);
  });

  test('are not read while disabled, and are read after their end.', async (t) => {
    const { clients, name } = await openVault(t);
    const { secrets } = clients;
    const token = name('token');
    const { properties } = await secrets.setSecret(token, 'value', {
      notBefore: new Date(Date.now() - 7_200_000),
      expiresOn: new Date(Date.now() - 3_600_000),
    });
    assert.equal((await secrets.getSecret(token)).value, 'value');
    await secrets.updateSecretProperties(token, properties.version ?? '', { enabled: false });
    await assert.rejects(secrets.getSecret(token), {
      ...restError(403, 'Forbidden'),
      message: 'Operation get is not allowed on a disabled secret.',
    });
  });

  test('are listed without their values.', async (t) => {
    const { clients, name } = await openVault(t);
    const token = name('token');
    await clients.secrets.setSecret(token, 'the-value');
    const { items } = await collect(clients.secrets.listPropertiesOfSecrets());
    const found = items.find((item) => item.name === token);
    assert.ok(found !== undefined);
    assert.doesNotMatch(JSON.stringify(found), /the-value/);
  });

  test('have 15 tags at most.', async (t) => {
    const { clients, name } = await openVault(t);
    const tags = Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`tag-${n}`, '']));
    await assert.rejects(
      clients.secrets.setSecret(name('token'), 'value', { tags }),
      restError(400, 'BadParameter'),
    );
  });

  test('are deleted softly, recovered, backed up, purged and restored.', async (t) => {
    const { clients, name } = await openVault(t);
    const { secrets } = clients;
    const token = name('token');
    await secrets.setSecret(token, 'value');
    await (await secrets.beginDeleteSecret(token)).pollUntilDone();
    await assert.rejects(secrets.setSecret(token, 'other'), restError(409, 'Conflict'));
    await (await secrets.beginRecoverDeletedSecret(token)).pollUntilDone();
    const backup = await secrets.backupSecret(token);
    assert.ok(backup !== undefined);
    await assert.rejects(secrets.restoreSecretBackup(backup), restError(409, 'Conflict'));
    await (await secrets.beginDeleteSecret(token)).pollUntilDone();
    await secrets.purgeDeletedSecret(token);
    await secrets.restoreSecretBackup(backup);
    assert.equal((await secrets.getSecret(token)).value, 'value');
    await assert.rejects(secrets.restoreSecretBackup(new Uint8Array(99)), { statusCode: 400 });
  });

  test('do not share a name with a certificate.', async (t) => {
    const { clients, name } = await openVault(t);
    const { certificates, secrets } = clients;
    const [token, web] = [name('token'), name('web')];
    const policy = { issuerName: 'Self', subject: 'CN=a', keyType: 'EC' } as const;
    await secrets.setSecret(token, 'value');
    await assert.rejects(certificates.beginCreateCertificate(token, policy), { statusCode: 409 });
    await (await certificates.beginCreateCertificate(web, policy)).pollUntilDone();
    await assert.rejects(secrets.setSecret(web, 'value'), { name: 'RestError' });
  });
});
