import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ManagedIdentityCredential } from '@azure/identity';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { type RunningIssuer, startIssuer } from '../../../infra/local/issuer/issuer.ts';
import { loadOrCreateSigningKey } from '../../../infra/local/issuer/signing-key.ts';
import { mintToken, TEN_YEARS_SECONDS } from '../../../infra/local/issuer/tokens.ts';

const TENANT = '11111111-1111-4111-8111-111111111111';
const CLIENT = '22222222-2222-4222-8222-222222222222';
const PRINCIPAL = '33333333-3333-4333-8333-333333333333';
const HEADER = '44444444-4444-4444-8444-444444444444';
const VAULT = 'https://vault.azure.net';

let stateDir: string;
let provider: RunningIssuer;

const start = () =>
  startIssuer({
    stateDir,
    port: 0,
    tenantId: TENANT,
    clientId: CLIENT,
    principalId: PRINCIPAL,
    identityHeader: HEADER,
  });

before(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'everleaf-issuer-'));
  provider = await start();
});
after(async () => {
  await provider.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

/** Checks a token as a resource server does: by discovery, key set, issuer and audience. */
async function verify(token: string, audience: string) {
  const discovery = (await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json()) as {
    issuer: string;
    jwks_uri: string;
  };
  assert.equal(discovery.issuer, provider.issuer);
  const keys = createRemoteJWKSet(new URL(discovery.jwks_uri));
  return (await jwtVerify(token, keys, { issuer: discovery.issuer, audience, algorithms: ['RS256'] }))
    .payload;
}

function ask(query: Record<string, string>, header: string | null = HEADER): Promise<Response> {
  return fetch(`${provider.msiEndpoint}?${new URLSearchParams(query)}`, {
    headers: header === null ? {} : { 'x-identity-header': header },
  });
}

describe('the local identity provider', () => {
  it('gives the unmodified ManagedIdentityCredential a token for the vault', async () => {
    const before = { ...process.env };
    Object.assign(process.env, { IDENTITY_ENDPOINT: provider.msiEndpoint, IDENTITY_HEADER: HEADER });
    try {
      const credential = new ManagedIdentityCredential({ clientId: CLIENT });
      const accessToken = await credential.getToken(`${VAULT}/.default`);
      const claims = await verify(accessToken?.token ?? '', VAULT);
      assert.equal(claims.sub, PRINCIPAL);
      assert.equal(claims['oid'], PRINCIPAL);
      assert.equal(claims['appid'], CLIENT);
      assert.equal(claims['tid'], TENANT);
      assert.equal(claims['roles'], undefined);
      assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 24 * 3600);
      assert.equal(accessToken?.expiresOnTimestamp, (claims.exp ?? 0) * 1000);
    } finally {
      for (const name of ['IDENTITY_ENDPOINT', 'IDENTITY_HEADER']) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    }
  });

  it('answers with expires_on as a string of seconds and repeats resource and client id', async () => {
    const response = await ask({ 'api-version': '2019-08-01', resource: VAULT, client_id: CLIENT });
    assert.equal(response.status, 200);
    const body = (await response.json()) as Record<string, string>;
    assert.match(body['expires_on'] ?? '', /^\d+$/);
    assert.deepEqual(
      { resource: body['resource'], token_type: body['token_type'], client_id: body['client_id'] },
      { resource: VAULT, token_type: 'Bearer', client_id: CLIENT },
    );
  });

  const good = { 'api-version': '2019-08-01', resource: VAULT, client_id: CLIENT };
  const refusals: [string, Record<string, string>, string | null, number, RegExp][] = [
    ['without the header', good, null, 401, /X-IDENTITY-HEADER/],
    ['with a wrong header', good, 'x', 401, /X-IDENTITY-HEADER/],
    ['of another api-version', { ...good, 'api-version': '2017-09-01' }, HEADER, 400, /api-version/],
    ['without a resource', { ...good, resource: '' }, HEADER, 400, /resource/],
    ['for another client id', { ...good, client_id: TENANT }, HEADER, 400, /^No User Assigned or Delegated/],
    [
      'without a client id',
      { 'api-version': '2019-08-01', resource: VAULT },
      HEADER,
      400,
      /^No User Assigned/,
    ],
    ['by resource id', { ...good, mi_res_id: '/subscriptions/x' }, HEADER, 400, /^No User Assigned/],
  ];
  for (const [what, query, header, status, message] of refusals) {
    it(`refuses a managed identity request ${what} with ${status}`, async () => {
      const response = await ask(query, header);
      assert.equal(response.status, status);
      const body = (await response.json()) as Record<string, unknown>;
      assert.equal(body['statusCode'], status);
      assert.match(String(body['message']), message);
    });
  }

  it('answers 404 elsewhere and 405 to anything but GET', async () => {
    const origin = new URL(provider.issuer).origin;
    assert.equal((await fetch(`${origin}/nothing`)).status, 404);
    assert.equal((await fetch(provider.msiEndpoint, { method: 'POST' })).status, 405);
  });

  it('keeps its key, readable by the owner alone, so that tokens outlive a restart', async () => {
    const key = await loadOrCreateSigningKey(stateDir);
    const { token } = await mintToken(key, {
      issuer: provider.issuer,
      tenantId: TENANT,
      audience: 'api://everleaf',
      principal: { objectId: PRINCIPAL, clientId: CLIENT, roles: ['Everleaf.Operator'] },
      lifetimeSeconds: TEN_YEARS_SECONDS,
    });
    const claims = await verify(token, 'api://everleaf');
    assert.deepEqual(claims['roles'], ['Everleaf.Operator']);
    assert.equal((claims.exp ?? 0) - (claims.iat ?? 0), 315_576_000);
    assert.equal(statSync(join(stateDir, 'signing-key.pem')).mode & 0o777, 0o600);

    const other = await start();
    try {
      const response = await fetch(`${new URL(other.issuer).origin}/${TENANT}/discovery/v2.0/keys`);
      const { keys } = (await response.json()) as { keys: Record<string, unknown>[] };
      assert.equal(keys.length, 1);
      assert.equal(keys[0]?.['kid'], key.kid);
      assert.equal(keys[0]?.['d'], undefined, 'the private part must not be published');
      assert.equal(decodeJwt(token).iss, provider.issuer);
    } finally {
      await other.stop();
    }
  });
});
