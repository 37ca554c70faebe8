import assert from 'node:assert/strict';
import { createHash, createPrivateKey, createPublicKey, verify, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import type { CertificatePolicy } from '@azure/keyvault-certificates';
import { openVault } from './any-vault.ts';
import { collect, restError } from './harness.ts';
import { issueFor, requestCertificate, selfSignInVault } from './issuing.ts';

const policy = {
  subject: 'CN=everleaf contract',
  keyType: 'EC',
  keyCurveName: 'P-256',
  contentType: 'application/x-pem-file',
} as const;
const self: CertificatePolicy = { ...policy, issuerName: 'Self' };

describe('Any vault: certificates', () => {
  test('are requested, issued elsewhere and merged; key, certificate and chain are in the secret.', async (t) => {
    const { clients, name } = await openVault(t);
    const { certificates, secrets } = clients;
    const web = name('web');
    const { leaf, authority } = await issueFor(await requestCertificate(certificates, web, policy));
    const merged = await certificates.mergeCertificate(web, [leaf, authority]);
    const version = merged.properties.version ?? '';
    assert.deepEqual(Buffer.from(merged.cer ?? []), leaf);
    assert.ok(merged.keyId?.endsWith(`/keys/${web}/${version}`));
    assert.ok(merged.secretId?.endsWith(`/secrets/${web}/${version}`));
    assert.equal(merged.properties.expiresOn?.getTime(), Date.parse(new X509Certificate(leaf).validTo));
    const { value = '', properties } = await secrets.getSecret(web);
    assert.equal(properties.managed, true);
    assert.ok(createPublicKey(createPrivateKey(value)).equals(new X509Certificate(leaf).publicKey));
    assert.equal(value.match(/BEGIN CERTIFICATE/g)?.length, 2);
  });

  test('of an authority: Self, then Unknown with the same key, keys/sign and merge.', async (t) => {
    const { clients, name } = await openVault(t);
    const { certificates } = clients;
    const authority = name('authority');
    const shape = {
      ...policy,
      exportable: false,
      reuseKey: true,
      keyUsage: ['keyCertSign', 'cRLSign', 'digitalSignature'],
    };
    const poller = await certificates.beginCreateCertificate(authority, { ...shape, issuerName: 'Self' });
    const first = await poller.pollUntilDone();
    const request = await requestCertificate(certificates, authority, shape);
    const signed = await selfSignInVault(request, clients.cryptography(first.keyId ?? ''), 'EC');
    const merged = await certificates.mergeCertificate(authority, [signed]);
    const parsed = new X509Certificate(Buffer.from(merged.cer ?? []));
    assert.ok(parsed.ca);
    assert.ok(parsed.verify(parsed.publicKey));
    const digest = createHash('sha256').update('message').digest();
    const { result } = await clients.cryptography(merged.keyId ?? '').sign('ES256', digest);
    const signature = { key: parsed.publicKey, dsaEncoding: 'ieee-p1363' } as const;
    assert.ok(verify('sha256', Buffer.from('message'), signature, result));
  });

  test('keep their name busy while one is pending; forgotten, it is free.', async (t) => {
    const { clients, name } = await openVault(t);
    const { certificates } = clients;
    const web = name('web');
    await requestCertificate(certificates, web, policy);
    const early = await certificates.getCertificate(web);
    assert.deepEqual([early.properties.enabled, early.cer], [false, undefined]);
    await assert.rejects(requestCertificate(certificates, web, policy), { statusCode: 409 });
    await certificates.deleteCertificateOperation(web);
    await assert.rejects(
      certificates.deleteCertificateOperation(web),
      restError(404, 'PendingCertificateNotFound'),
    );
    await requestCertificate(certificates, web, policy);
  });

  test('are not merged into the request of another key, which waits on.', async (t) => {
    const { clients, name } = await openVault(t);
    const { certificates } = clients;
    const [web, other] = [name('web'), name('other')];
    const request = await requestCertificate(certificates, web, policy);
    const foreign = await issueFor(await requestCertificate(certificates, other, policy));
    await assert.rejects(certificates.mergeCertificate(web, [foreign.leaf]), { name: 'RestError' });
    const poller = await certificates.getCertificateOperation(web);
    assert.equal(poller.getOperationState().certificateOperation?.status, 'inProgress');
    await certificates.mergeCertificate(web, [(await issueFor(request)).leaf]);
  });

  test('have versions with keys of their own; disabled ones do not work.', async (t) => {
    const { clients, name } = await openVault(t);
    const { certificates, secrets } = clients;
    const web = name('web');
    const make = async () => (await certificates.beginCreateCertificate(web, self)).pollUntilDone();
    const [first, second] = [await make(), await make()];
    assert.notDeepEqual(first.cer, second.cer);
    const { items } = await collect(certificates.listPropertiesOfCertificateVersions(web));
    assert.deepEqual(
      items.map(({ version }) => version).sort(),
      [first.properties.version, second.properties.version].sort(),
    );
    const version = first.properties.version ?? '';
    await certificates.updateCertificateProperties(web, version, { enabled: false, tags: { a: '1' } });
    const found = await certificates.getCertificateVersion(web, version);
    assert.deepEqual([found.properties.enabled, found.properties.tags], [false, { a: '1' }]);
    await assert.rejects(secrets.getSecret(web, { version }), restError(403, 'Forbidden'));
    const signing = clients.cryptography(first.keyId ?? '').sign('ES256', Buffer.alloc(32, 1));
    await assert.rejects(signing, { name: 'RestError' });
    await clients.cryptography(second.keyId ?? '').sign('ES256', Buffer.alloc(32, 1));
  });

  test('are deleted softly, recovered, backed up, purged and restored.', async (t) => {
    const { clients, name } = await openVault(t);
    const { certificates } = clients;
    const web = name('web');
    const made = await (await certificates.beginCreateCertificate(web, self)).pollUntilDone();
    await (await certificates.beginDeleteCertificate(web)).pollUntilDone();
    await assert.rejects(certificates.getCertificate(web), restError(404, 'CertificateNotFound'));
    await assert.rejects(certificates.beginCreateCertificate(web, self), restError(409, 'Conflict'));
    const recovered = await (await certificates.beginRecoverDeletedCertificate(web)).pollUntilDone();
    assert.deepEqual(recovered.cer, made.cer);
    const backup = await certificates.backupCertificate(web);
    assert.ok(backup !== undefined);
    await (await certificates.beginDeleteCertificate(web)).pollUntilDone();
    await certificates.purgeDeletedCertificate(web);
    const restored = await certificates.restoreCertificateBackup(backup);
    assert.equal(restored.properties.version, made.properties.version);
  });

  test('that are not there are told apart by kind.', async (t) => {
    const { clients, name } = await openVault(t);
    const missing = name('missing');
    await assert.rejects(clients.certificates.getCertificate(missing), restError(404, 'CertificateNotFound'));
    await assert.rejects(clients.keys.getKey(missing), restError(404, 'KeyNotFound'));
    await assert.rejects(clients.secrets.getSecret(missing), restError(404, 'SecretNotFound'));
  });
});
