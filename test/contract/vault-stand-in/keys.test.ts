import assert from 'node:assert/strict';
import { constants, createHash, randomBytes, sign, verify, X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import type { CertificatePolicy } from '@azure/keyvault-certificates';
import type { SignatureAlgorithm } from '@azure/keyvault-keys';
import { installShiftedDate, offsetMs, setOffset } from '../../../infra/local/clock/shifted-date.ts';
import { type Clients, restError, startVault } from './harness.ts';

installShiftedDate();

const rsaAlgorithms = [
  ['RS256', 'sha256', constants.RSA_PKCS1_PADDING],
  ['RS384', 'sha384', constants.RSA_PKCS1_PADDING],
  ['RS512', 'sha512', constants.RSA_PKCS1_PADDING],
  ['PS256', 'sha256', constants.RSA_PKCS1_PSS_PADDING],
  ['PS384', 'sha384', constants.RSA_PKCS1_PSS_PADDING],
  ['PS512', 'sha512', constants.RSA_PKCS1_PSS_PADDING],
] as const;
const ecAlgorithms = [
  ['ES256', 'sha256', 'P-256'],
  ['ES384', 'sha384', 'P-384'],
  ['ES512', 'sha512', 'P-521'],
] as const;

async function makeKey(clients: Clients, policy: Partial<CertificatePolicy>) {
  const { certificates } = clients;
  const poller = await certificates.beginCreateCertificate('key', {
    issuerName: 'Self',
    subject: 'CN=key',
    exportable: false,
    ...policy,
  } as CertificatePolicy);
  const { cer, keyId } = await poller.pollUntilDone();
  return {
    publicKey: new X509Certificate(Buffer.from(cer ?? [])).publicKey,
    keyId: keyId ?? '',
    client: clients.cryptography(keyId ?? ''),
  };
}

/** The service's own verify; the SDK's would check RSA signatures without asking the vault. */
async function verifyInVault(
  clients: Clients,
  alg: string,
  digest: Buffer,
  signature: Buffer,
): Promise<boolean> {
  const body = { alg, digest: digest.toString('base64url'), value: signature.toString('base64url') };
  const { version } = (await clients.keys.getKey('key')).properties;
  const answer = await clients.request('POST', `/keys/key/${version}/verify`, body);
  assert.equal(answer.status, 200);
  return (answer.body as { value: boolean }).value;
}

describe('Keys of certificates', () => {
  for (const keySize of [2048, 3072, 4096] as const) {
    test(`of RSA ${keySize} sign digests as node:crypto verifies them, and verify what it signs.`, async (t) => {
      const { clients } = await startVault(t);
      const { publicKey, client } = await makeKey(clients, { keyType: 'RSA', keySize });
      for (const [alg, hash, padding] of rsaAlgorithms) {
        const message = randomBytes(100);
        const digest = createHash(hash).update(message).digest();
        const { result } = await client.sign(alg, digest);
        const options = { key: publicKey, padding, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
        assert.ok(verify(hash, message, options, result), `${alg} by node:crypto`);
        const signature = Buffer.from(result);
        assert.ok(await verifyInVault(clients, alg, digest, signature), `${alg} by the vault`);
        signature[10] = (signature[10] ?? 0) ^ 1;
        assert.equal(await verifyInVault(clients, alg, digest, signature), false);
      }
    });
  }

  for (const [alg, hash, keyCurveName] of ecAlgorithms) {
    test(`of ${keyCurveName} give r and s of full length for ${alg}.`, async (t) => {
      const { clients } = await startVault(t);
      const { publicKey, client } = await makeKey(clients, { keyType: 'EC', keyCurveName });
      const octets = { 'P-256': 64, 'P-384': 96, 'P-521': 132 }[keyCurveName];
      for (let round = 0; round < 20; round++) {
        const message = randomBytes(100);
        const digest = createHash(hash).update(message).digest();
        const { result } = await client.sign(alg, digest);
        assert.equal(result.length, octets);
        assert.ok(verify(hash, message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, result));
        assert.ok(await verifyInVault(clients, alg, digest, Buffer.from(result)));
        const altered = Buffer.from(digest);
        altered[0] = (altered[0] ?? 0) ^ 1;
        assert.equal(await verifyInVault(clients, alg, altered, Buffer.from(result)), false);
      }
    });
  }

  test('verify signatures made elsewhere with the same key.', async (t) => {
    const { clients } = await startVault(t);
    const { publicKey } = await makeKey(clients, {
      keyType: 'EC',
      exportable: true,
      contentType: 'application/x-pem-file',
    });
    const { value } = await clients.secrets.getSecret('key');
    const message = Buffer.from('message');
    const signature = sign('sha256', message, { key: value ?? '', dsaEncoding: 'ieee-p1363' });
    assert.ok(verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature));
    const digest = createHash('sha256').update(message).digest();
    assert.ok(await verifyInVault(clients, 'ES256', digest, signature));
  });

  for (const [keyType, alg] of [
    ['RSA-HSM', 'RS256'],
    ['EC-HSM', 'ES256'],
  ] as const) {
    test(`in hardware (${keyType}) sign like others, and are never exportable.`, async (t) => {
      const { clients } = await startVault(t);
      const { client, publicKey } = await makeKey(clients, { keyType });
      assert.equal((await clients.keys.getKey('key')).keyType, keyType);
      assert.equal((await clients.certificates.getCertificatePolicy('key')).keyType, keyType);
      const message = Buffer.from('message');
      const { result } = await client.sign(alg, createHash('sha256').update(message).digest());
      assert.ok(verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, result));
      await assert.rejects(makeKey(clients, { keyType, exportable: true }), restError(400, 'BadParameter'));
    });
  }

  test('show their public half only.', async (t) => {
    const { clients } = await startVault(t);
    const { publicKey } = await makeKey(clients, { keyType: 'EC' });
    const { status, body } = await clients.request('GET', '/keys/key');
    assert.equal(status, 200);
    const { key, managed } = body as { key: Record<string, unknown>; managed: boolean };
    assert.equal(managed, true);
    assert.deepEqual(Object.keys(key).sort(), ['crv', 'key_ops', 'kid', 'kty', 'x', 'y']);
    assert.equal(key['x'], publicKey.export({ format: 'jwk' }).x);
  });

  const refusals: [string, SignatureAlgorithm, number][] = [
    ['a digest of the wrong length', 'ES256', 48],
    ['an algorithm of another curve', 'ES384', 48],
    ['an algorithm of another key type', 'RS256', 32],
    ['an algorithm that does not exist', 'ES999', 32],
  ];
  for (const [title, alg, octets] of refusals) {
    test(`refuse ${title}.`, async (t) => {
      const { clients } = await startVault(t);
      const { client } = await makeKey(clients, { keyType: 'EC' });
      await assert.rejects(client.sign(alg, randomBytes(octets)), restError(400, 'BadParameter'));
    });
  }

  test('do only what the key usage of their policy allows.', async (t) => {
    const { clients } = await startVault(t);
    const { client } = await makeKey(clients, { keyType: 'RSA', keyUsage: ['keyEncipherment'] });
    // The SDK reads key_ops and does not even ask.
    await assert.rejects(client.sign('RS256', randomBytes(32)), /Operation sign is not supported/);
    const { status } = await clients.request('POST', `/keys/key/${client.keyID?.split('/').at(-1)}/sign`, {
      alg: 'RS256',
      value: randomBytes(32).toString('base64url'),
    });
    assert.equal(status, 403);
  });

  test('do nothing while their certificate is disabled.', async (t) => {
    const { clients } = await startVault(t);
    const { client, keyId } = await makeKey(clients, { keyType: 'EC' });
    await client.sign('ES256', randomBytes(32));
    const version = keyId.split('/').at(-1) ?? '';
    await clients.certificates.updateCertificateProperties('key', version, { enabled: false });
    await assert.rejects(client.sign('ES256', randomBytes(32)), restError(403, 'Forbidden'));
    await assert.rejects(clients.secrets.getSecret('key'), restError(403, 'Forbidden'));
  });

  test('stop when the certificate ends, by virtual time, while the certificate can still be read.', async (t) => {
    const { clients } = await startVault(t);
    const { keyId } = await makeKey(clients, {
      keyType: 'EC',
      validityInMonths: 1,
      contentType: 'application/x-pem-file',
    });
    const sign = () =>
      clients.request('POST', `/keys/key/${keyId.split('/').at(-1)}/sign`, {
        alg: 'ES256',
        value: randomBytes(32).toString('base64url'),
      });
    assert.equal((await sign()).status, 200);
    setOffset(offsetMs() + 32 * 86_400_000);
    const expired = await sign();
    assert.equal(expired.status, 403);
    assert.match(JSON.stringify(expired.body), /expired key.*KeyExpired/);
    assert.match((await clients.secrets.getSecret('key')).value ?? '', /BEGIN CERTIFICATE/);
  });
});
