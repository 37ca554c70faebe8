import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { restError, startVault } from './harness.ts';
import { issueFor, opensslText, requestCertificate, selfSignInVault } from './issuing.ts';

const kinds = [
  { kind: 'EC', key: { keyType: 'EC', keyCurveName: 'P-256' } },
  { kind: 'RSA', key: { keyType: 'RSA', keySize: 2048 } },
] as const;

describe('The way to an authority whose key never leaves the vault', () => {
  for (const { kind, key } of kinds) {
    test(`Self, then Unknown with the same ${kind} key, keys/sign and merge give a real CA certificate.`, async (t) => {
      const { clients } = await startVault(t);
      const { certificates, secrets, keys } = clients;
      const policy = {
        subject: 'CN=Everleaf authority 1, O=Test',
        ...key,
        exportable: false,
        reuseKey: true,
        keyUsage: ['keyCertSign', 'cRLSign', 'digitalSignature'],
        contentType: 'application/x-pem-file' as const,
        validityInMonths: 12,
      };
      const poller = await certificates.beginCreateCertificate('authority--1', {
        ...policy,
        issuerName: 'Self',
      });
      const first = await poller.pollUntilDone();
      assert.equal(first.policy?.exportable, false);
      assert.equal(first.policy?.issuerName, 'Self');

      const request = await requestCertificate(certificates, 'authority--1', policy);
      const during = await certificates.getCertificate('authority--1');
      assert.equal(
        during.properties.version,
        first.properties.version,
        'the first version stays usable meanwhile',
      );

      const signer = clients.cryptography(first.keyId ?? '');
      const authority = await selfSignInVault(request, signer, kind);
      const merged = await certificates.mergeCertificate('authority--1', [authority]);
      assert.notEqual(merged.properties.version, first.properties.version);
      assert.deepEqual(Buffer.from(merged.cer ?? []), authority);

      const parsed = new X509Certificate(authority);
      assert.ok(parsed.ca);
      assert.ok(parsed.verify(parsed.publicKey), 'the vault signed it with the key in it');
      assert.ok(parsed.publicKey.equals(new X509Certificate(Buffer.from(first.cer ?? [])).publicKey));
      assert.match(await opensslText(authority), /CA:TRUE, pathlen:1/);

      const latestKey = await keys.getKey('authority--1');
      assert.equal(latestKey.id, merged.keyId);
      assert.deepEqual(latestKey.keyOperations, ['sign', 'verify']);
      assert.equal(latestKey.properties.managed, true);

      const { value } = await secrets.getSecret('authority--1');
      assert.doesNotMatch(value ?? '', /PRIVATE KEY/);
      assert.ok(new X509Certificate(value ?? '').publicKey.equals(parsed.publicKey));
    });
  }

  test('a key that was made not exportable cannot be made exportable by reusing it.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    const policy = {
      subject: 'CN=a',
      keyType: 'EC',
      reuseKey: true,
      contentType: 'application/x-pem-file',
    } as const;
    const poller = await certificates.beginCreateCertificate('a', {
      ...policy,
      exportable: false,
      issuerName: 'Self',
    });
    await poller.pollUntilDone();
    await assert.rejects(
      certificates.beginCreateCertificate('a', { ...policy, exportable: true, issuerName: 'Unknown' }),
      restError(400, 'BadParameter'),
    );
  });

  test('without reuse_key a new version has a new key.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    const policy = { subject: 'CN=a', keyType: 'EC', exportable: false } as const;
    const make = async () => {
      const poller = await certificates.beginCreateCertificate('a', { ...policy, issuerName: 'Self' });
      return new X509Certificate(Buffer.from((await poller.pollUntilDone()).cer ?? []));
    };
    const [one, two] = [await make(), await make()];
    assert.ok(!one.publicKey.equals(two.publicKey));
    const { leaf } = await issueFor(await requestCertificate(certificates, 'a', policy));
    assert.ok(!new X509Certificate(leaf).publicKey.equals(two.publicKey));
  });
});
