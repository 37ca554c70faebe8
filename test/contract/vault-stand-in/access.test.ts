import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { installShiftedDate, offsetMs, setOffset } from '../../../infra/local/clock/shifted-date.ts';
import type { RoleDefinitions } from '../../../infra/local/vault/config.ts';
import { startVaults } from '../../../infra/local/vault/vaults.ts';
import { clientsFor, configFor, restError, startVault, temporaryDirectory } from './harness.ts';
import { AUDIENCE, startIssuer } from './token-issuer.ts';

installShiftedDate();

const roles = JSON.parse(
  await readFile(new URL('../../../infra/role-definitions.json', import.meta.url), 'utf8'),
) as RoleDefinitions;

describe('Who is calling', () => {
  test('a request without a token gets the challenge that names issuer and audience.', async (t) => {
    const { clients, as } = await startVault(t);
    const { status, body } = await as('').request('GET', '/secrets/a');
    assert.equal(status, 401);
    assert.match(JSON.stringify(body), /AKV10000/);
    await assert.rejects(clients.secrets.getSecret('a'), restError(404, 'SecretNotFound'));
  });

  test('tokens of the issuer are accepted, others are not.', async (t) => {
    const issuer = await startIssuer(t);
    const vaults = await startVaults(
      configFor(await temporaryDirectory(t), { issuer: { url: issuer.url }, audience: AUDIENCE }),
    );
    t.after(() => vaults.stop());
    const statusFor = async (token: string) => {
      const clients = clientsFor(vaults.urls['clients'] ?? '', token);
      return (await clients.request('GET', '/secrets')).status;
    };
    const foreignKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const good = await issuer.token('tester');
    assert.equal(await statusFor(good), 200);
    assert.equal(await statusFor(await issuer.token('tester', { aud: 'https://storage.azure.com' })), 401);
    assert.equal(await statusFor(await issuer.token('tester', { iss: 'https://issuer.invalid' })), 401);
    assert.equal(await statusFor(await issuer.token('tester', { oid: undefined })), 401);
    assert.equal(await statusFor(await issuer.token('tester', { exp: undefined })), 401);
    assert.equal(await statusFor(await issuer.token('tester', {}, foreignKey)), 401);
    assert.equal(await statusFor(`${good.slice(0, -6)}AAAAAA`), 401);
    assert.equal(await statusFor('rubbish'), 401);
    setOffset(offsetMs() + 2 * 3_600_000);
    assert.equal(await statusFor(good), 401, 'two virtual hours later it has expired');
    assert.equal(await statusFor(await issuer.token('tester')), 200);
  });

  test('an issuer that does not answer is a 503, not a verdict.', async (t) => {
    const vaults = await startVaults(
      configFor(await temporaryDirectory(t), { issuer: { url: 'http://127.0.0.1:1' } }),
    );
    t.after(() => vaults.stop());
    const clients = clientsFor(vaults.urls['clients'] ?? '', 'token');
    assert.equal((await clients.request('GET', '/secrets')).status, 503);
  });
});

describe('What a caller may do', () => {
  const assignments = [
    { principalId: 'app', role: 'clientVault', vault: 'clients', scope: '/' },
    { principalId: 'rotator', role: 'rotationKey', vault: 'clients', scope: '/secrets/rotation-key' },
    { principalId: 'elsewhere', role: '*', vault: 'authority', scope: '/' },
    { principalId: 'tester', role: '*', vault: '*', scope: '/' },
  ];
  const policy = { issuerName: 'Self', subject: 'CN=a', exportable: false } as const;

  test('is what its roles say: the app makes certificates and writes secrets, and reads none.', async (t) => {
    const { as } = await startVault(t, { config: { roles, assignments } });
    const { certificates, secrets, keys } = as('app');
    await (await certificates.beginCreateCertificate('client--a--b', policy)).pollUntilDone();
    await secrets.setSecret('token--a--b', 'value');
    await assert.rejects(secrets.getSecret('token--a--b'), restError(403, 'Forbidden'));
    await assert.rejects(keys.getKey('client--a--b'), restError(403, 'Forbidden'));
    await assert.rejects(certificates.beginDeleteCertificate('client--a--b'), restError(403, 'Forbidden'));
    await assert.rejects(secrets.listPropertiesOfSecrets().next(), { statusCode: 403 });
    const refused = await as('app').request('GET', '/secrets/token--a--b');
    assert.match(
      JSON.stringify(refused.body),
      /Microsoft\.KeyVault\/vaults\/secrets\/getSecret\/action.*ForbiddenByRbac/,
    );
  });

  test('on one object only, when the role was given there.', async (t) => {
    const { as } = await startVault(t, { config: { roles, assignments } });
    const { secrets } = as('rotator');
    await secrets.setSecret('rotation-key', 'value');
    assert.equal((await secrets.getSecret('Rotation-Key')).value, 'value');
    await assert.rejects(secrets.setSecret('rotation-key-2', 'value'), restError(403, 'Forbidden'));
  });

  test('in its own vault only, and nothing without a role.', async (t) => {
    const { as } = await startVault(t, { config: { roles, assignments } });
    for (const principal of ['elsewhere', 'nobody']) {
      const { status } = await as(principal).request('GET', '/certificates');
      assert.equal(status, 403, principal);
    }
  });

  test('is decided before the body is read and whether or not the object exists.', async (t) => {
    const { as } = await startVault(t, { config: { roles, assignments } });
    assert.equal((await as('nobody').request('PUT', '/secrets/a', '{')).status, 403);
    assert.equal((await as('nobody').request('GET', '/secrets/not-there')).status, 403);
  });

  test('an assignment of an unknown role stops the start.', async (t) => {
    const config = { roles, assignments: [{ principalId: 'app', role: 'owner', vault: '*', scope: '/' }] };
    await assert.rejects(startVault(t, { config }), /Cannot assign the role "owner"/);
  });
});
