import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { CertificatePolicy } from '@azure/keyvault-certificates';
import { answerChallenges, collect, restError, startVault } from './harness.ts';
import { issueFor, opensslText, requestCertificate } from './issuing.ts';

const policy: CertificatePolicy = {
  issuerName: 'Unknown',
  subject: 'CN=test',
  keyType: 'EC',
  contentType: 'application/x-pem-file',
};
const self: CertificatePolicy = { ...policy, issuerName: 'Self' };

describe('Certificates of issuer Self', () => {
  test('begin ten minutes back, run for calendar months, and are no authorities.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    const poller = await certificates.beginCreateCertificate('web', {
      ...self,
      keyType: 'RSA',
      keySize: 3072,
      validityInMonths: 6,
      subjectAlternativeNames: { dnsNames: ['web.example'], uniformResourceIdentifiers: ['spiffe://a/b'] },
    });
    const { cer, properties } = await poller.pollUntilDone();
    const certificate = new X509Certificate(Buffer.from(cer ?? []));
    const created = properties.createdOn ?? new Date(0);
    assert.equal(Date.parse(certificate.validFrom), created.getTime() - 600_000);
    const end = new Date(created);
    end.setUTCMonth(end.getUTCMonth() + 6);
    assert.ok(Math.abs(Date.parse(certificate.validTo) - end.getTime()) <= 3 * 86_400_000);
    assert.equal(properties.expiresOn?.getTime(), Date.parse(certificate.validTo));
    assert.equal(certificate.ca, false);
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.modulusLength, 3072);
    assert.ok(certificate.verify(certificate.publicKey));
    assert.equal(properties.x509ThumbprintString, certificate.fingerprint.replaceAll(':', '').toLowerCase());
    const text = await opensslText(certificate.raw);
    assert.match(text, /DNS:web\.example, URI:spiffe:\/\/a\/b/);
    assert.match(text, /X509v3 Key Usage: critical\s+Digital Signature, Key Encipherment/);
  });

  test('stay pending for as many looks as configured; before that the certificate is there, but empty.', async (t) => {
    const { clients } = await startVault(t, { config: { selfCompletesAfterPolls: 2 } });
    const { certificates, request } = clients;
    await certificates.beginCreateCertificate('web', self); // looks once
    const early = await certificates.getCertificate('web');
    assert.equal(early.properties.enabled, false);
    assert.equal(early.cer, undefined);
    assert.match(early.properties.version ?? '', /^[0-9a-f]{32}$/);
    const second = await request('GET', '/certificates/web/pending');
    assert.equal((second.body as { status: string }).status, 'inProgress');
    const third = (await request('GET', '/certificates/web/pending')).body as Record<string, unknown>;
    assert.equal(third['status'], 'completed');
    assert.equal(third['target'], `${clients.url}/certificates/web`);
    assert.equal((await certificates.getCertificate('web')).properties.version, early.properties.version);
  });

  for (const curve of ['P-256', 'P-384', 'P-521'] as const) {
    test(`are made for ${curve}.`, async (t) => {
      const { certificates, keys } = (await startVault(t)).clients;
      const poller = await certificates.beginCreateCertificate('ec', { ...self, keyCurveName: curve });
      const { cer } = await poller.pollUntilDone();
      const certificate = new X509Certificate(Buffer.from(cer ?? []));
      assert.ok(certificate.verify(certificate.publicKey));
      assert.equal((await keys.getKey('ec')).key?.crv, curve);
    });
  }
});

describe('Requests of issuer Unknown', () => {
  test('are signed by their key and ask for what the policy says.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    const request = await requestCertificate(certificates, 'web', {
      ...policy,
      subjectAlternativeNames: { dnsNames: ['a.example'] },
    });
    const running = promisify(execFile)('openssl', ['req', '-inform', 'DER', '-noout', '-verify', '-text']);
    running.child.stdin?.end(request);
    const { stdout, stderr } = await running;
    assert.match(stdout + stderr, /verify OK/);
    assert.match(stdout, /Subject: CN = test/);
    assert.match(stdout, /DNS:a\.example/);
    assert.match(stdout, /CA:FALSE/);
  });

  test('keep the name busy until they are merged, cancelled or forgotten.', async (t) => {
    const { certificates, request } = (await startVault(t)).clients;
    await requestCertificate(certificates, 'web', policy);
    await assert.rejects(certificates.beginCreateCertificate('web', policy), restError(409, 'Forbidden'));

    const poller = await certificates.getCertificateOperation('web');
    await poller.cancelOperation();
    const cancelled = (await request('GET', '/certificates/web/pending')).body as Record<string, unknown>;
    assert.equal(cancelled['status'], 'cancelled');
    assert.equal(cancelled['cancellation_requested'], true);
    const again = await request('PATCH', '/certificates/web/pending', { cancellation_requested: true });
    assert.equal(again.status, 400);

    await requestCertificate(certificates, 'web', policy);
    await certificates.deleteCertificateOperation('web');
    const gone = await request('GET', '/certificates/web/pending');
    assert.equal(gone.status, 404);
    assert.equal((gone.body as { error: { code: string } }).error.code, 'PendingCertificateNotFound');
    await requestCertificate(certificates, 'web', policy);
  });

  test('are found by their request id, and by no other.', async (t) => {
    const { certificates, request } = (await startVault(t)).clients;
    await requestCertificate(certificates, 'web', policy);
    const { body } = await request('GET', '/certificates/web/pending');
    const id = (body as { request_id: string }).request_id;
    assert.equal((await request('GET', `/certificates/web/pending?request_id=${id}`)).status, 200);
    assert.equal((await request('GET', '/certificates/web/pending?request_id=0')).status, 404);
  });
});

describe('Policies', () => {
  test('come back with the defaults of the service filled in.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    await requestCertificate(certificates, 'web', { ...policy, keyType: 'RSA' });
    const found = await certificates.getCertificatePolicy('web');
    assert.equal(found.keySize, 2048);
    assert.equal(found.exportable, true);
    assert.equal(found.reuseKey, false);
    assert.equal(found.validityInMonths, 12);
    assert.deepEqual(found.keyUsage, ['digitalSignature', 'keyEncipherment']);
    assert.deepEqual(found.enhancedKeyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    assert.equal(found.lifetimeActions?.[0]?.action, 'EmailContacts');
  });

  test('can be changed in part, and the next version follows them.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    await (await certificates.beginCreateCertificate('web', self)).pollUntilDone();
    await certificates.updateCertificatePolicy('web', { ...self, keyCurveName: 'P-384' });
    const found = await certificates.getCertificatePolicy('web');
    assert.equal(found.keyCurveName, 'P-384');
    assert.equal(found.subject, 'CN=test');
  });

  const wrong: [string, Partial<CertificatePolicy>][] = [
    ['a subject that is no distinguished name', { subject: 'no name' }],
    ['a subject with something else in it', { subject: 'CN=a, b' }],
    ['an issuer that is not set up', { issuerName: 'DigiCert' }],
    ['a key of 1024 bits', { keyType: 'RSA', keySize: 1024 as 2048 }],
    ['a curve it cannot make', { keyCurveName: 'P-256K' }],
    ['a key in hardware', { keyType: 'RSA-HSM' }],
  ];
  for (const [title, change] of wrong) {
    test(`with ${title} are refused.`, async (t) => {
      const { certificates } = (await startVault(t)).clients;
      await assert.rejects(
        certificates.beginCreateCertificate('web', { ...policy, ...change } as CertificatePolicy),
        restError(400, 'BadParameter'),
      );
      await assert.rejects(certificates.getCertificate('web'), restError(404, 'CertificateNotFound'));
    });
  }
});

describe('Certificates in the vault', () => {
  test('are found whatever the case of their name, and list in pages of 25.', async (t) => {
    const { clients } = await startVault(t);
    const { certificates } = clients;
    await answerChallenges(clients);
    const names = Array.from({ length: 32 }, (_, index) => `Web-${String(index).padStart(2, '0')}`);
    await Promise.all(
      names.map(async (name) => (await certificates.beginCreateCertificate(name, self)).pollUntilDone()),
    );
    await requestCertificate(certificates, 'waiting', policy);

    assert.equal((await certificates.getCertificate('WEB-07')).name, 'Web-07');
    const { items, pageSizes } = await collect(certificates.listPropertiesOfCertificates());
    assert.deepEqual(
      items.map(({ name }) => name),
      names,
    );
    assert.deepEqual(pageSizes, [25, 7]);
    assert.equal(items[0]?.version, undefined);
    const withPending = await collect(certificates.listPropertiesOfCertificates({ includePending: true }));
    assert.equal(withPending.items.length, 33);
  });

  test('list their versions in pages, oldest first, each by its own id.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    const made: (string | undefined)[] = [];
    for (let version = 0; version < 31; version++) {
      const poller = await certificates.beginCreateCertificate('web', self);
      made.push((await poller.pollUntilDone()).properties.version);
    }
    const { items, pageSizes } = await collect(certificates.listPropertiesOfCertificateVersions('web'));
    assert.deepEqual(
      items.map(({ version }) => version),
      made,
    );
    assert.deepEqual(pageSizes, [25, 6]);
  });

  test('can be disabled and tagged, version by version.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    const poller = await certificates.beginCreateCertificate('web', self);
    const version = (await poller.pollUntilDone()).properties.version ?? '';
    await certificates.updateCertificateProperties('web', version, { enabled: false, tags: { a: '1' } });
    const found = await certificates.getCertificateVersion('web', version);
    assert.equal(found.properties.enabled, false);
    assert.deepEqual(found.properties.tags, { a: '1' });
    assert.equal(found.properties.recoveryLevel, 'Recoverable+Purgeable');
  });

  test('are deleted softly: the name stays taken until they are recovered or purged.', async (t) => {
    const { certificates, keys, secrets } = (await startVault(t)).clients;
    const made = await (await certificates.beginCreateCertificate('web', self)).pollUntilDone();
    const deleting = await certificates.beginDeleteCertificate('web');
    const deleted = await deleting.pollUntilDone();
    assert.equal(
      (deleted.scheduledPurgeDate?.getTime() ?? 0) - (deleted.deletedOn?.getTime() ?? 0),
      90 * 86_400_000,
    );
    await assert.rejects(certificates.getCertificate('web'), restError(404, 'CertificateNotFound'));
    await assert.rejects(keys.getKey('web'), restError(404, 'KeyNotFound'));
    await assert.rejects(secrets.getSecret('web'), restError(404, 'SecretNotFound'));
    await assert.rejects(certificates.beginCreateCertificate('web', self), restError(409, 'Conflict'));
    assert.equal((await collect(certificates.listDeletedCertificates())).items.length, 1);

    const recovering = await certificates.beginRecoverDeletedCertificate('web');
    const recovered = await recovering.pollUntilDone();
    assert.deepEqual(recovered.cer, made.cer);
    await (await certificates.beginDeleteCertificate('web')).pollUntilDone();
    await certificates.purgeDeletedCertificate('web');
    await assert.rejects(certificates.getDeletedCertificate('web'), restError(404, 'CertificateNotFound'));
    await (await certificates.beginCreateCertificate('web', self)).pollUntilDone();
  });

  test('do not share a name with a secret.', async (t) => {
    const { certificates, secrets } = (await startVault(t)).clients;
    await secrets.setSecret('taken', 'value');
    await assert.rejects(certificates.beginCreateCertificate('taken', self), restError(409, 'Conflict'));
    await (await certificates.beginCreateCertificate('web', self)).pollUntilDone();
    await assert.rejects(secrets.setSecret('web', 'value'), restError(403, 'Forbidden'));
    await assert.rejects(secrets.beginDeleteSecret('web'), restError(403, 'Forbidden'));
  });

  test('take many requests at once, one after the other for each name.', async (t) => {
    const { clients } = await startVault(t);
    const { certificates } = clients;
    await answerChallenges(clients);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 8 }, () => certificates.beginCreateCertificate('web', policy)),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    const { leaf } = await issueFor(
      Buffer.from(
        (await certificates.getCertificateOperation('web')).getOperationState().certificateOperation?.csr ??
          [],
      ),
    );
    await certificates.mergeCertificate('web', [leaf]);
  });
});
