import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Middleware } from '../../../infra/local/vault/request.ts';
import { VaultCertificates } from '../../../shared/adapters/key-vault/vault-certificates.ts';
import { VaultCopies } from '../../../shared/adapters/key-vault/vault-copies.ts';
import { VaultSecrets } from '../../../shared/adapters/key-vault/vault-secrets.ts';
import { VaultSigner } from '../../../shared/adapters/key-vault/vault-signer.ts';
import { Secret } from '../../../shared/domain/secret.ts';
import { specOf } from '../../support/key-spec.ts';
import { startVault } from '../vault-stand-in/harness.ts';

const WORKING = { contentType: 'text/plain', tags: {}, expiresAt: null };

function portsOf(url: string, principal = 'tester') {
  const credential = {
    getToken: async () => ({ token: principal, expiresOnTimestamp: Date.now() + 86_400_000 }),
  };
  return {
    vault: new VaultCertificates(url, credential),
    secrets: new VaultSecrets(url, credential),
    signer: new VaultSigner(credential),
    copies: new VaultCopies(url, credential),
  };
}

/** Answers every call that carries a token; the client waits no longer than a millisecond between its tries. */
function always(status: number, code: string): Middleware {
  return async (request, next) =>
    request.authorization === null
      ? next(request)
      : {
          status,
          body: { error: { code, message: `${code} it is.` } },
          headers: { 'retry-after-ms': '1', 'Retry-After': '7' },
        };
}

for (const [status, vaultCode, code, retryable] of [
  [429, 'Throttled', 'VaultThrottled', true],
  [503, 'ServiceUnavailable', 'VaultUnavailable', true],
  [403, 'Forbidden', 'VaultAccessDenied', true],
  [400, 'BadParameter', 'VaultRefused', false],
] as const) {
  test(`A vault that answers ${status} is ${code} for every port, and says when to come back`, async (t) => {
    const { clients } = await startVault(t, { middleware: [always(status, vaultCode)] });
    const { vault, secrets, signer, copies } = portsOf(clients.url);
    const expected = { name: 'EverleafError', code, retryable, retryAfterSeconds: 7 };
    const keyId = `${clients.url}/keys/authority--a1/${'0'.repeat(32)}`;
    await assert.rejects(vault.current('client'), expected);
    await assert.rejects(vault.pending('client'), expected);
    await assert.rejects(vault.request('client', specOf('EC-P256')), expected);
    await assert.rejects(secrets.read('token'), expected);
    await assert.rejects(secrets.write('token', new Secret('elt1_value'), WORKING), expected);
    await assert.rejects(signer.sign(keyId, 'ES256', new Uint8Array(8)), expected);
    for (const type of ['certificate', 'secret'] as const) {
      await assert.rejects(copies.backup(type, 'object'), expected);
      await assert.rejects(copies.restore(type, new Uint8Array(8)), expected);
      await assert.rejects(copies.recover(type, 'object'), expected);
      await assert.rejects(copies.versions(type, 'object'), { code, retryable });
    }
  });
}

test('A caller without roles is VaultAccessDenied, retryable because roles take minutes to arrive', async (t) => {
  const { clients } = await startVault(t);
  const { vault, secrets } = portsOf(clients.url, 'somebody else');
  const expected = { code: 'VaultAccessDenied', retryable: true, message: /role assignments/ };
  await assert.rejects(vault.request('client', specOf('EC-P256')), expected);
  await assert.rejects(secrets.read('token'), expected);
});

test('An error never repeats the value of a secret', async (t) => {
  const { clients } = await startVault(t, { middleware: [always(400, 'BadParameter')] });
  const error: unknown = await portsOf(clients.url)
    .secrets.write('token', new Secret('elt1_value'), WORKING)
    .catch((caught: unknown) => caught);
  assert.ok(error instanceof Error);
  assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /elt1_value/);
});

test('A date that the client would cut short is refused before anything is written', async (t) => {
  const { clients } = await startVault(t);
  const { secrets } = portsOf(clients.url);
  const expiresAt = new Date('2038-01-19T03:14:08Z');
  await assert.rejects(secrets.write('token', new Secret('value'), { ...WORKING, expiresAt }), {
    code: 'InvalidInput',
  });
  assert.equal(await secrets.read('token'), null);
});
