import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { GetTokenOptions } from '@azure/identity';
import { SecretClient, type SecretClientOptions } from '@azure/keyvault-secrets';
import { startVaults } from '../../../infra/local/vault/vaults.ts';
import { configFor, temporaryDirectory } from './harness.ts';
import { AUDIENCE, startIssuer } from './token-issuer.ts';

/** A vault that checks tokens, and a client whose credential writes down what it is asked for. */
async function start(
  t: TestContext,
  claims: Record<string, unknown> = {},
  options: SecretClientOptions = {},
) {
  const issuer = await startIssuer(t);
  const vaults = await startVaults(
    configFor(await temporaryDirectory(t), { issuer: { url: issuer.url }, audience: AUDIENCE }),
  );
  t.after(() => vaults.stop());
  const asked: { scopes: string | string[]; tenantId: string | undefined }[] = [];
  const credential = {
    getToken: async (scopes: string | string[], { tenantId }: GetTokenOptions = {}) => {
      asked.push({ scopes, tenantId });
      const token = await issuer.token('tester', claims);
      return { token, expiresOnTimestamp: Date.now() + 3_600_000 };
    },
  };
  const secrets = new SecretClient(vaults.urls['clients'] ?? '', credential, {
    allowInsecureConnection: true,
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
    ...options,
  });
  return { secrets, asked, issuer };
}

describe('The challenge', () => {
  test('tells the client which resource and which tenant its credential has to ask for, once.', async (t) => {
    const { secrets, asked, issuer } = await start(t);
    await secrets.setSecret('a', 'value');
    assert.equal((await secrets.getSecret('a')).value, 'value');
    const tenantId = new URL(issuer.url).pathname.slice(1);
    assert.deepEqual(asked, [{ scopes: [`${AUDIENCE}/.default`], tenantId }]);
  });

  test('comes again after a token for another audience, and the second refusal says what is wrong.', async (t) => {
    const { secrets, asked } = await start(t, { aud: 'https://management.azure.com' });
    await assert.rejects(secrets.getSecret('a'), {
      name: 'RestError',
      statusCode: 401,
      code: 'Unauthorized',
      message: `AKV10022: Invalid audience. Expected ${AUDIENCE}, found: https://management.azure.com.`,
    });
    assert.ok(asked.length >= 1);
  });

  test('comes again after a token of another tenant, and the second refusal says what is wrong.', async (t) => {
    const { secrets, issuer } = await start(t, { iss: 'https://sts.windows.net/another-tenant/' });
    await assert.rejects(secrets.getSecret('a'), {
      name: 'RestError',
      statusCode: 401,
      code: 'Unauthorized',
      message: `AKV10032: Invalid issuer. Expected one of ${issuer.url}, found https://sts.windows.net/another-tenant/.`,
    });
  });

  test('is not believed by a client that checks whether the resource is the parent of the vault.', async (t) => {
    const { secrets, asked } = await start(t, {}, { disableChallengeResourceVerification: false });
    await assert.rejects(secrets.getSecret('a'), /challenge resource .* does not match the requested domain/);
    assert.deepEqual(asked, []);
  });
});
