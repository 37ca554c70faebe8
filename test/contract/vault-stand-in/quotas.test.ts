import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, mock, test } from 'node:test';
import type { CertificatePolicy } from '@azure/keyvault-certificates';
import type { KeyType } from '../../../infra/local/vault/model.ts';
import { type Quota, vaultQuota } from '../../../infra/local/vault/quota.ts';
import { type Clients, startVault } from './harness.ts';
import { requestCertificate } from './issuing.ts';

// Time stands still, so that a slow machine does not get from one window into the next.
beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['Date'], now: Date.now() });
});

const policy: CertificatePolicy = { subject: 'CN=a', keyType: 'EC', exportable: false };
const throttled = { name: 'RestError', statusCode: 429, code: 'Throttled' };
const limited = { config: { vaults: [{ name: 'clients', port: 0 }] } };

/** Creates keys until the vault has had enough; gives how many it made and how long it wants the caller to wait. */
async function keysUntilThrottled(
  clients: Clients,
  change: Partial<CertificatePolicy> = {},
): Promise<{ made: number; retryAfter: number }> {
  for (let made = 0; ; made++) {
    try {
      await requestCertificate(clients.certificates, `c-${made}-${randomBytes(4).toString('hex')}`, {
        ...policy,
        ...change,
      } as CertificatePolicy);
    } catch (error) {
      const { statusCode, response } = error as {
        statusCode: number;
        response: { headers: { get(name: string): string } };
      };
      assert.equal(statusCode, 429);
      return { made, retryAfter: Number(response.headers.get('retry-after')) };
    }
  }
}

/** How often something is possible in one window. */
function capacity(use: (quota: Quota) => void): number {
  const quota = vaultQuota();
  for (let count = 0; ; count++) {
    try {
      use(quota);
    } catch {
      return count;
    }
  }
}

describe('Quotas', () => {
  test('allow 20 new keys in ten seconds, and name the seconds that are left.', async (t) => {
    const { clients } = await startVault(t, limited);
    const { made, retryAfter } = await keysUntilThrottled(clients);
    assert.equal(made, 20);
    assert.equal(retryAfter, 10);
    mock.timers.tick(9_999);
    assert.deepEqual(await keysUntilThrottled(clients), { made: 0, retryAfter: 1 });
    mock.timers.tick(1);
    assert.equal((await keysUntilThrottled(clients)).made, 20);
  });

  test('allow 10 new keys in hardware, and weigh both kinds together.', async (t) => {
    const { clients } = await startVault(t, limited);
    assert.equal((await keysUntilThrottled(clients, { keyType: 'EC-HSM' })).made, 10);
    const mixed = (await startVault(t, limited)).clients;
    for (let n = 0; n < 5; n++) {
      await requestCertificate(mixed.certificates, `hardware-${n}`, { ...policy, keyType: 'EC-HSM' });
    }
    assert.equal((await keysUntilThrottled(mixed)).made, 10);
  });

  test('do not count a version with the key of the one before as a new key.', async (t) => {
    const { clients } = await startVault(t, limited);
    const { certificates } = clients;
    await (
      await certificates.beginCreateCertificate('ca', { ...policy, issuerName: 'Self' })
    ).pollUntilDone();
    assert.equal((await keysUntilThrottled(clients)).made, 19);
    await requestCertificate(certificates, 'ca', { ...policy, reuseKey: true });
  });

  test('leave reading alone while no more keys can be made, and are per vault.', async (t) => {
    const { clients } = await startVault(t, limited);
    const poller = await clients.certificates.beginCreateCertificate('ca', { ...policy, issuerName: 'Self' });
    const { keyId } = await poller.pollUntilDone();
    await keysUntilThrottled(clients);
    await assert.rejects(requestCertificate(clients.certificates, 'more', policy), throttled);
    await clients.certificates.getCertificate('ca');
    await clients.cryptography(keyId ?? '').sign('ES256', randomBytes(32));
    const other = (await startVault(t, limited)).clients;
    await requestCertificate(other.certificates, 'more', policy);
  });

  test('count secrets set and certificates imported together, 300 in ten seconds.', async (t) => {
    const { clients } = await startVault(t, limited);
    for (let n = 0; n < 300; n++) await clients.secrets.setSecret('a', String(n));
    await assert.rejects(clients.secrets.setSecret('a', 'one more'), throttled);
    await clients.secrets.getSecret('a');
    const used = vaultQuota();
    for (let n = 0; n < 150; n++) used.request('CertificateImport', null);
    for (let n = 0; n < 150; n++) used.request('SecretSet', null);
    assert.throws(() => used.request('CertificateImport', null), { status: 429 });
  });

  const types: [string, KeyType, number][] = [
    ['RSA 2048', { kty: 'RSA', keySize: 2048 }, 4000],
    ['RSA 3072', { kty: 'RSA', keySize: 3072 }, 1000],
    ['RSA 4096', { kty: 'RSA', keySize: 4096 }, 500],
    ['EC P-256', { kty: 'EC', crv: 'P-256' }, 4000],
    ['EC P-521', { kty: 'EC', crv: 'P-521' }, 4000],
    ['RSA-HSM 2048', { kty: 'RSA', keySize: 2048, hsm: true }, 2000],
    ['RSA-HSM 3072', { kty: 'RSA', keySize: 3072, hsm: true }, 500],
    ['RSA-HSM 4096', { kty: 'RSA', keySize: 4096, hsm: true }, 250],
    ['EC-HSM P-256', { kty: 'EC', crv: 'P-256', hsm: true }, 2000],
  ];
  for (const [title, type, expected] of types) {
    test(`allow ${expected} operations with ${title} keys.`, () => {
      assert.equal(
        capacity((quota) => quota.request('KeySign', type)),
        expected,
      );
    });
  }

  test('allow 4000 of everything else, and weigh keys as the documentation says.', () => {
    assert.equal(
      capacity((quota) => quota.request('CertificateGet', null)),
      4000,
    );
    // The example of the documentation: 248 with RSA-HSM 4096 and 16 with RSA-HSM 2048 fill the window.
    const quota = vaultQuota();
    for (let n = 0; n < 248; n++) quota.request('KeyGet', { kty: 'RSA', keySize: 4096, hsm: true });
    for (let n = 0; n < 16; n++) quota.request('KeyGet', { kty: 'RSA', keySize: 2048, hsm: true });
    assert.throws(() => quota.request('KeyGet', { kty: 'EC', crv: 'P-256' }), { status: 429 });
  });

  test('can be switched off for a vault.', async (t) => {
    const vaults = [{ name: 'clients', port: 0, quotas: false }];
    const { certificates } = (await startVault(t, { config: { vaults } })).clients;
    for (let n = 0; n < 25; n++) await requestCertificate(certificates, `c-${n}`, policy);
  });
});
