import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { installShiftedDate, offsetMs, setOffset } from '../../../infra/local/clock/shifted-date.ts';
import { collect, restError, startVault, temporaryDirectory } from './harness.ts';
import { requestCertificate } from './issuing.ts';

installShiftedDate();

const run = promisify(execFile);
const PEM = 'application/x-pem-file';
const unreadable = {
  ...restError(400, 'BadParameter'),
  message: /^The specified PKCS#12 X\.509 certificate content can not be read\./,
};

/** A key and a certificate for it, made by openssl. */
async function make(
  t: TestContext,
  key: string[] = ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  days = 30,
) {
  const directory = await temporaryDirectory(t);
  const [keyFile, certificateFile] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  await run('openssl', [
    ...['req', '-x509', '-newkey', ...key, '-nodes', '-keyout', keyFile, '-out', certificateFile],
    ...[
      '-subj',
      '/CN=imported/O=Test',
      '-days',
      String(days),
      '-addext',
      'keyUsage=critical,digitalSignature',
    ],
    ...['-addext', 'extendedKeyUsage=clientAuth', '-addext', 'subjectAltName=DNS:a.example,URI:spiffe://a/b'],
  ]);
  const pem = (await readFile(keyFile, 'utf8')) + (await readFile(certificateFile, 'utf8'));
  return {
    pem,
    certificate: new X509Certificate(await readFile(certificateFile)),
    async pfx(password: string, ...options: string[]) {
      const file = join(directory, `${randomBytes(4).toString('hex')}.pfx`);
      const args = ['-inkey', keyFile, '-in', certificateFile, '-out', file, '-passout', `pass:${password}`];
      await run('openssl', ['pkcs12', '-export', ...args, ...options]);
      return readFile(file);
    },
  };
}

/** What openssl reads from a PKCS#12 file without a password. */
async function opensslPfx(t: TestContext, base64: string): Promise<string> {
  const file = join(await temporaryDirectory(t), 'out.pfx');
  await writeFile(file, Buffer.from(base64, 'base64'));
  return (await run('openssl', ['pkcs12', '-in', file, '-nodes', '-passin', 'pass:'])).stdout;
}

const oldDes = ['-keypbe', 'PBE-SHA1-3DES', '-certpbe', 'PBE-SHA1-3DES', '-macalg', 'sha1'];

describe('Importing PKCS#12', () => {
  const files: [string, string, string[]][] = [
    ['with AES and SHA-256, as OpenSSL 3 makes them', 'geheimé', []],
    ['with triple DES and SHA-1, as OpenSSL 1 and Windows make them', 'secret', oldDes],
    ['without encryption', 'secret', ['-keypbe', 'NONE', '-certpbe', 'NONE']],
    ['with an empty password', '', []],
  ];
  for (const [title, password, options] of files) {
    test(`reads files ${title}.`, async (t) => {
      const { certificates } = (await startVault(t)).clients;
      const { certificate, pfx } = await make(t);
      const imported = await certificates.importCertificate('web', await pfx(password, ...options), {
        password,
      });
      assert.deepEqual(Buffer.from(imported.cer ?? []), certificate.raw);
    });
  }

  test('makes a current version like any other: key, secret and policy come with it.', async (t) => {
    const { clients } = await startVault(t);
    const { certificates, keys, secrets } = clients;
    const { certificate, pfx } = await make(t);
    const imported = await certificates.importCertificate('web', await pfx('x'), {
      password: 'x',
      tags: { from: 'elsewhere' },
    });
    const { policy, properties } = imported;
    assert.deepEqual(properties.tags, { from: 'elsewhere' });
    assert.equal(properties.expiresOn?.getTime(), Date.parse(certificate.validTo));
    assert.equal(policy?.issuerName, 'Unknown');
    assert.equal(policy?.keyType, 'EC');
    assert.equal(policy?.exportable, true);
    assert.equal(policy?.contentType, 'application/x-pkcs12');
    assert.equal(policy?.subject, 'CN=imported, O=Test');
    assert.deepEqual(policy?.keyUsage, ['digitalSignature']);
    assert.deepEqual(policy?.enhancedKeyUsage, ['1.3.6.1.5.5.7.3.2']);
    assert.deepEqual(policy?.subjectAlternativeNames?.dnsNames, ['a.example']);
    assert.equal(policy?.lifetimeActions?.[0]?.action, 'EmailContacts');

    assert.equal((await keys.getKey('web')).id, imported.keyId);
    const { result } = await clients.cryptography(imported.keyId ?? '').sign('ES256', randomBytes(32));
    assert.equal(result.length, 64);
    const secret = await secrets.getSecret('web');
    assert.equal(secret.properties.contentType, 'application/x-pkcs12');
    const text = await opensslPfx(t, secret.value ?? '');
    assert.ok(createPublicKey(createPrivateKey(text)).equals(certificate.publicKey));
  });

  test('loses the policy on its way from the SDK: what was not exportable is, until the wire says so.', async (t) => {
    const { clients } = await startVault(t);
    const { pfx } = await make(t);
    const file = await pfx('');
    const options = { policy: { exportable: false, issuerName: 'Unknown', subject: 'CN=a' } };
    const imported = await clients.certificates.importCertificate('web', file, options);
    // @azure/keyvault-certificates 4.10 sends { value, pwd, tags } only.
    assert.equal(imported.policy?.exportable, true);
    const { status } = await clients.request('POST', '/certificates/web/import', {
      value: file.toString('base64'),
      policy: { key_props: { exportable: false } },
      attributes: { enabled: false },
    });
    assert.equal(status, 200);
    const { policy, properties } = await clients.certificates.getCertificate('web');
    assert.equal(policy?.exportable, false);
    assert.equal(properties.enabled, false);
  });

  test('refuses a wrong password, rubbish, RC2, and keys that no vault holds, in the words of the service.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    const { pfx } = await make(t);
    const importing = (file: Uint8Array, password: string) =>
      certificates.importCertificate('web', file, { password });
    await assert.rejects(importing(await pfx('right'), 'wrong'), unreadable);
    await assert.rejects(importing(randomBytes(200), ''), unreadable);
    await assert.rejects(importing(await pfx('x', '-legacy'), 'x'), unreadable);
    await assert.rejects(importing(await pfx('x', '-nokeys'), 'x'), {
      ...restError(400, 'BadParameter'),
      message: /^Private key is not specified/,
    });
    const small = await make(t, ['rsa:1024']);
    await assert.rejects(importing(await small.pfx('x'), 'x'), restError(400, 'BadParameter'));
    await assert.rejects(importing(await pfx('x'), 'x'.repeat(201)), restError(400, 'BadParameter'));
    await assert.rejects(certificates.getCertificate('web'), restError(404, 'CertificateNotFound'));
  });

  test('waits for what is pending, adds a version to what is there, and takes no name of another.', async (t) => {
    const { certificates, secrets } = (await startVault(t)).clients;
    const { pfx } = await make(t);
    const file = await pfx('');
    await requestCertificate(certificates, 'web', { subject: 'CN=a', keyType: 'EC', contentType: PEM });
    await assert.rejects(certificates.importCertificate('web', file), restError(409, 'Forbidden'));
    await certificates.deleteCertificateOperation('web');
    await certificates.importCertificate('web', file);
    await certificates.importCertificate('web', file);
    const { items } = await collect(certificates.listPropertiesOfCertificateVersions('web'));
    assert.equal(items.length, 2);
    await secrets.setSecret('taken', 'value');
    await assert.rejects(certificates.importCertificate('taken', file), restError(409, 'Conflict'));
    await (await certificates.beginDeleteCertificate('web')).pollUntilDone();
    await assert.rejects(certificates.importCertificate('web', file), restError(409, 'Conflict'));
  });
});

describe('Importing PEM', () => {
  test('is refused while the policy does not say that it is PEM, which the SDK has no way to say.', async (t) => {
    const { clients } = await startVault(t);
    const { pem, certificate } = await make(t);
    const options = { policy: { contentType: PEM, issuerName: 'Unknown', subject: 'CN=a' } } as const;
    await assert.rejects(
      clients.certificates.importCertificate('web', Buffer.from(pem), options),
      unreadable,
    );
    for (const value of [pem, Buffer.from(pem).toString('base64')]) {
      const policy = { secret_props: { contentType: PEM } };
      const { status } = await clients.request('POST', '/certificates/web/import', { value, policy });
      assert.equal(status, 200);
    }
    assert.deepEqual(
      Buffer.from((await clients.certificates.getCertificate('web')).cer ?? []),
      certificate.raw,
    );
    assert.match((await clients.secrets.getSecret('web')).value ?? '', /^-----BEGIN PRIVATE KEY-----/);
  });

  test('needs one key in PKCS#8 and its certificate.', async (t) => {
    const { request } = (await startVault(t)).clients;
    const [one, other] = [await make(t), await make(t)];
    const [key, certificate] = one.pem.split(/(?=-----BEGIN CERTIFICATE)/);
    const sec1 = createPrivateKey(one.pem).export({ type: 'sec1', format: 'pem' });
    const wrong = [
      certificate,
      `${sec1}${certificate}`,
      key,
      `${key}${other.certificate}`,
      `${key}${other.pem}`,
      '-----BEGIN',
    ];
    for (const value of wrong) {
      const policy = { secret_props: { contentType: PEM } };
      assert.equal((await request('POST', '/certificates/web/import', { value, policy })).status, 400);
    }
  });
});

describe('Secrets of certificates as PKCS#12', () => {
  for (const keyType of ['RSA', 'EC'] as const) {
    test(`hold ${keyType} key and certificate without a password, and can be imported again.`, async (t) => {
      const { certificates, secrets } = (await startVault(t)).clients;
      // The service's default content type.
      const poller = await certificates.beginCreateCertificate('web', {
        issuerName: 'Self',
        subject: 'CN=a',
        keyType,
      });
      const { cer } = await poller.pollUntilDone();
      const { value = '' } = await secrets.getSecret('web');
      const text = await opensslPfx(t, value);
      const certificate = new X509Certificate(Buffer.from(cer ?? []));
      assert.ok(createPublicKey(createPrivateKey(text)).equals(certificate.publicKey));
      const copy = await certificates.importCertificate('copy', Buffer.from(value, 'base64'));
      assert.deepEqual(copy.cer, cer);
      assert.equal(copy.policy?.validityInMonths, 13, 'twelve months and the ten minutes before');
    });
  }

  test('hold the certificate alone when the key is not exportable.', async (t) => {
    const { certificates, secrets } = (await startVault(t)).clients;
    const poller = await certificates.beginCreateCertificate('web', {
      issuerName: 'Self',
      subject: 'CN=a',
      keyType: 'EC',
      exportable: false,
    });
    await poller.pollUntilDone();
    const text = await opensslPfx(t, (await secrets.getSecret('web')).value ?? '');
    assert.match(text, /BEGIN CERTIFICATE/);
    assert.doesNotMatch(text, /PRIVATE KEY/);
  });
});

// Last: openssl lives in the machine's time, and what it makes for the tests would have expired.
describe('Importing after a jump of the clock', () => {
  test('refuses an expired certificate, by virtual time.', async (t) => {
    const { certificates } = (await startVault(t)).clients;
    const { pfx } = await make(t);
    const file = await pfx('');
    setOffset(offsetMs() + 31 * 86_400_000);
    await assert.rejects(certificates.importCertificate('web', file), restError(400, 'BadParameter'));
  });
});
