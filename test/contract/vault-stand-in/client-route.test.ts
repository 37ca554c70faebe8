import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { restError, startVault } from './harness.ts';
import { issueFor, requestCertificate } from './issuing.ts';

const policy = {
  subject: 'CN=KMS, O=management',
  keyType: 'RSA',
  keySize: 2048,
  exportable: true,
  reuseKey: false,
  contentType: 'application/x-pem-file',
} as const;
const NAME = 'client--management--kms';

describe('The way to a client certificate whose key is born in the vault', () => {
  test('request, issue and merge put key, certificate and chain into the secret of the same version.', async (t) => {
    const { certificates, secrets } = (await startVault(t)).clients;
    const { leaf, authority } = await issueFor(await requestCertificate(certificates, NAME, policy));
    const merged = await certificates.mergeCertificate(NAME, [leaf, authority]);

    assert.deepEqual(Buffer.from(merged.cer ?? []), leaf);
    assert.equal(merged.keyId?.split('/').at(-1), merged.properties.version);
    assert.equal(merged.secretId?.split('/').at(-1), merged.properties.version);
    const parsed = new X509Certificate(leaf);
    assert.equal(merged.properties.expiresOn?.getTime(), Date.parse(parsed.validTo));
    assert.equal(merged.properties.notBefore?.getTime(), Date.parse(parsed.validFrom));

    const secret = await secrets.getSecret(NAME, { version: merged.properties.version ?? '' });
    assert.equal(secret.properties.managed, true);
    assert.equal(secret.properties.contentType, 'application/x-pem-file');
    assert.equal(secret.properties.certificateKeyId, merged.keyId);
    const pem = secret.value ?? '';
    assert.ok(pem.startsWith('-----BEGIN PRIVATE KEY-----'));
    assert.ok(createPublicKey(createPrivateKey(pem)).equals(parsed.publicKey));
    assert.equal(pem.match(/BEGIN CERTIFICATE/g)?.length, 2);
    assert.deepEqual(new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERT'))).raw, leaf);
  });

  test('a renewal makes a new key and leaves the old version readable.', async (t) => {
    const { certificates, secrets } = (await startVault(t)).clients;
    const renew = async () => {
      const { leaf } = await issueFor(await requestCertificate(certificates, NAME, policy));
      return certificates.mergeCertificate(NAME, [leaf]);
    };
    const first = await renew();
    const second = await renew();
    const old = await secrets.getSecret(NAME, { version: first.properties.version ?? '' });
    const current = await secrets.getSecret(NAME);
    assert.equal(current.properties.version, second.properties.version);
    assert.notEqual(old.value, current.value);
    assert.deepEqual(
      (await certificates.getCertificateVersion(NAME, first.properties.version ?? '')).cer,
      first.cer,
    );
  });

  test('a certificate for another key is refused, and the pending request waits on.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    const request = await requestCertificate(certificates, NAME, policy);
    const foreign = await issueFor(await requestCertificate(certificates, 'another', policy));
    await assert.rejects(certificates.mergeCertificate(NAME, [foreign.leaf]), restError(400, 'BadParameter'));
    const poller = await certificates.getCertificateOperation(NAME);
    assert.equal(poller.getOperationState().certificateOperation?.status, 'inProgress');
    const { leaf } = await issueFor(request);
    await certificates.mergeCertificate(NAME, [leaf]);
  });

  const encodings: [string, (leaf: Buffer) => Buffer][] = [
    ['DER', (leaf) => leaf],
    ['base64 text, encoded twice on its way', (leaf) => Buffer.from(leaf.toString('base64'))],
    ['PEM', (leaf) => Buffer.from(new X509Certificate(leaf).toString())],
  ];
  for (const [title, encode] of encodings) {
    test(`merge reads ${title}.`, async (t) => {
      const { certificates } = (await startVault(t)).clients;
      const { leaf } = await issueFor(
        await requestCertificate(certificates, NAME, { ...policy, keyType: 'EC' }),
      );
      const merged = await certificates.mergeCertificate(NAME, [encode(leaf)]);
      assert.deepEqual(Buffer.from(merged.cer ?? []), leaf);
    });
  }

  test('merge without a pending request is 404, with one of issuer Self 403, with rubbish 400.', async (t) => {
    const { clients } = await startVault(t, { config: { selfCompletesAfterPolls: 9 } });
    const { certificates, request } = clients;
    const { leaf } = await issueFor(
      await requestCertificate(certificates, NAME, { ...policy, keyType: 'EC' }),
    );
    await assert.rejects(
      certificates.mergeCertificate('nobody', [leaf]),
      restError(404, 'CertificateNotFound'),
    );
    await assert.rejects(
      certificates.mergeCertificate(NAME, [Buffer.from('rubbish')]),
      restError(400, 'BadParameter'),
    );
    await certificates.beginCreateCertificate('self', { ...policy, keyType: 'EC', issuerName: 'Self' });
    await assert.rejects(certificates.mergeCertificate('self', [leaf]), restError(403, 'Forbidden'));
    const empty = await request('POST', `/certificates/${NAME}/pending/merge`, { x5c: [] });
    assert.equal(empty.status, 400);
  });

  test('tags given at create stay, and those given at merge replace them.', async (t) => {
    const { certificates, request } = (await startVault(t)).clients;
    const begin = async (name: string) => {
      await certificates.beginCreateCertificate(
        name,
        { ...policy, keyType: 'EC', issuerName: 'Unknown' },
        { tags: { generation: '1' } },
      );
      const poller = await certificates.getCertificateOperation(name);
      const { leaf } = await issueFor(
        Buffer.from(poller.getOperationState().certificateOperation?.csr ?? []),
      );
      return leaf;
    };
    const kept = await certificates.mergeCertificate('one', [await begin('one')]);
    assert.deepEqual(kept.properties.tags, { generation: '1' });
    const x5c = [(await begin('two')).toString('base64')];
    const replaced = await request('POST', '/certificates/two/pending/merge', {
      x5c,
      tags: { generation: '2' },
    });
    assert.equal(replaced.status, 201);
    const { properties } = await certificates.getCertificate('two');
    assert.deepEqual(properties.tags, { generation: '2' });
  });
});
