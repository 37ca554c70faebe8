import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { exportJWK, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { systemClock } from '../../../shared/adapters/system/system-clock.ts';
import { type OperatorAuthenticator, openIdOperators } from '../../../shared/http/operators.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { TestClock } from '../../support/memory-world.ts';

const AUDIENCE = 'api://everleaf';
const TENANT = 'tenant';
const key = generateKeyPairSync('rsa', { modulusLength: 2048 });
const foreign = generateKeyPairSync('rsa', { modulusLength: 2048 });

/** What the issuer answers, to be changed by tests. */
let answers: Record<string, { status: number; body: string }>;
let issuer: string;
let operators: OperatorAuthenticator;
let jwk: JWK;

const server = createServer((request, response) => {
  const answer = answers[request.url ?? ''] ?? { status: 404, body: '' };
  response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
});

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  jwk = { ...(await exportJWK(key.publicKey)), kid: 'one', use: 'sig', alg: 'RS256' };
  answers = workingAnswers();
  operators = newOperators();
});

after(async () => {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
});

function workingAnswers() {
  return {
    '/.well-known/openid-configuration': {
      status: 200,
      body: JSON.stringify({ issuer, jwks_uri: `${issuer}/keys` }),
    },
    '/keys': { status: 200, body: JSON.stringify({ keys: [jwk] }) },
  };
}

const newOperators = (clock: Pick<Clock, 'now'> = systemClock) =>
  openIdOperators({ issuer, audience: AUDIENCE, tenantId: TENANT }, clock);

interface TokenChanges {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  readonly key?: KeyObject | Uint8Array;
}

function makeToken({
  claims = {},
  header = {},
  key: signer = key.privateKey,
}: TokenChanges = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: issuer,
    aud: AUDIENCE,
    tid: TENANT,
    oid: 'somebody',
    nbf: now - 10,
    exp: now + 3600,
    roles: ['Everleaf.Operator'],
    ...claims,
  };
  return new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(signer);
}

const authenticate = async (changes: TokenChanges = {}) =>
  operators.authenticate(`Bearer ${await makeToken(changes)}`);

const now = () => Math.floor(Date.now() / 1000);

test('An operator comes with the roles of the token, and everything that is no text is left out', async () => {
  const rolesOf = async (roles: unknown) => (await authenticate({ claims: { roles } })).appRoles;
  assert.deepEqual(await rolesOf(['Everleaf.Operator']), ['Everleaf.Operator']);
  assert.deepEqual(await rolesOf(['Everleaf.Reader', 1, null, 'Other']), ['Everleaf.Reader', 'Other']);
  for (const roles of [undefined, [], 'Everleaf.Operator', {}]) assert.deepEqual(await rolesOf(roles), []);
});

test('An operator is named by object id, and by subject where there is none', async () => {
  assert.equal((await authenticate()).id, 'somebody');
  assert.equal((await authenticate({ claims: { oid: undefined, sub: 'program' } })).id, 'program');
  for (const claims of [
    { oid: undefined, sub: undefined },
    { oid: '', sub: 7 },
  ]) {
    await assert.rejects(authenticate({ claims }), { code: 'InvalidToken', message: /names nobody/ });
  }
});

test('Without a bearer token there is no authentication', async () => {
  const token = await makeToken();
  for (const header of [
    null,
    '',
    'Bearer',
    'Bearer ',
    token,
    `Basic ${token}`,
    `Bearer ${token} x`,
    'Bearer a,b',
  ]) {
    await assert.rejects(operators.authenticate(header), { code: 'NoAuthenticationInformation' });
  }
  assert.equal((await operators.authenticate(`bearer  ${token}`)).id, 'somebody');
});

const REFUSED: readonly { title: string; why: RegExp; changes: () => TokenChanges }[] = [
  { title: 'for another audience', why: /claim aud/, changes: () => ({ claims: { aud: 'api://other' } }) },
  { title: 'without an audience', why: /claim aud/, changes: () => ({ claims: { aud: undefined } }) },
  { title: 'of another issuer', why: /claim iss/, changes: () => ({ claims: { iss: `${issuer}/` } }) },
  { title: 'of another tenant', why: /tenant/, changes: () => ({ claims: { tid: 'other' } }) },
  { title: 'without a tenant', why: /tenant/, changes: () => ({ claims: { tid: undefined } }) },
  { title: 'that has expired', why: /expired/, changes: () => ({ claims: { exp: now() - 61 } }) },
  { title: 'that never expires', why: /claim exp/, changes: () => ({ claims: { exp: undefined } }) },
  { title: 'that is not valid yet', why: /claim nbf/, changes: () => ({ claims: { nbf: now() + 120 } }) },
  {
    title: 'signed with a foreign key',
    why: /cannot be verified/,
    changes: () => ({ key: foreign.privateKey }),
  },
  {
    title: 'of a key that the issuer does not have',
    why: /cannot be verified/,
    changes: () => ({ header: { kid: 'two' } }),
  },
  { title: 'signed with RS384', why: /cannot be verified/, changes: () => ({ header: { alg: 'RS384' } }) },
  { title: 'signed with PS256', why: /cannot be verified/, changes: () => ({ header: { alg: 'PS256' } }) },
  {
    title: 'whose HMAC key is the public key',
    why: /cannot be verified/,
    changes: () => ({
      header: { alg: 'HS256' },
      key: new TextEncoder().encode(String(key.publicKey.export({ type: 'spki', format: 'pem' }))),
    }),
  },
];

for (const { title, why, changes } of REFUSED) {
  test(`A token ${title} is InvalidToken`, async () => {
    await assert.rejects(authenticate(changes()), { code: 'InvalidToken', message: why });
  });
}

test('A token without a signature, an altered one and nonsense are InvalidToken', async () => {
  const unsigned = new UnsecuredJWT({ roles: ['Everleaf.Operator'], tid: TENANT })
    .setIssuer(issuer)
    .setAudience(AUDIENCE)
    .setExpirationTime('1h')
    .encode();
  const [header = '', payload = '', signature = ''] = (await makeToken()).split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as object;
  const altered = Buffer.from(JSON.stringify({ ...claims, oid: 'else' })).toString('base64url');
  for (const token of [
    unsigned,
    `${header}.${altered}.${signature}`,
    `${header}.${payload}.`,
    'a.b.c',
    'nonsense',
  ]) {
    await assert.rejects(operators.authenticate(`Bearer ${token}`), { code: 'InvalidToken' });
  }
});

test('A clock that is a little off is forgiven', async () => {
  await authenticate({ claims: { exp: now() - 30 } });
  await authenticate({ claims: { nbf: now() + 30 } });
});

test('No refusal repeats the token', async () => {
  const token = await makeToken({ claims: { aud: 'api://other' } });
  const error: unknown = await operators.authenticate(`Bearer ${token}`).catch((caught: unknown) => caught);
  assert.ok(error instanceof Error);
  assert.equal(`${error.message} ${JSON.stringify(error)}`.includes(token.split('.')[1] ?? ''), false);
});

const DISCOVERY = '/.well-known/openid-configuration';
const document = (changes: Record<string, unknown>) => ({
  status: 200,
  body: JSON.stringify({ issuer, jwks_uri: `${issuer}/keys`, ...changes }),
});

test('A discovery document of somebody else, of another status or with keys in the clear elsewhere is not gone by', async () => {
  const token = await makeToken();
  for (const answer of [
    document({ issuer: `${issuer}/` }),
    document({ issuer: undefined }),
    document({ jwks_uri: 'http://keys.test/keys' }),
    document({ jwks_uri: 'ftp://127.0.0.1/keys' }),
    document({ jwks_uri: 'keys' }),
    { ...document({}), status: 203 },
    { status: 200, body: 'null' },
  ]) {
    answers = { ...workingAnswers(), [DISCOVERY]: answer };
    await assert.rejects(newOperators().authenticate(`Bearer ${token}`), {
      code: 'IdentityProviderUnavailable',
    });
  }
  answers = workingAnswers();
});

test('An issuer that moves its keys is followed within the hour, and goes on while its document cannot be read', async () => {
  const clock = new TestClock('2026-11-21T08:00:00Z');
  const fresh = newOperators(clock);
  const header = `Bearer ${await makeToken()}`;
  const moved = { ...(await exportJWK(foreign.publicKey)), kid: 'one', use: 'sig', alg: 'RS256' };
  const newHeader = `Bearer ${await makeToken({ key: foreign.privateKey })}`;
  await fresh.authenticate(header);
  const there = { '/moved': { status: 200, body: JSON.stringify({ keys: [moved] }) } };
  answers = { ...workingAnswers(), ...there, [DISCOVERY]: { status: 500, body: '' } };
  clock.advance(61 * 60_000);
  await fresh.authenticate(header);
  answers = { ...workingAnswers(), ...there, [DISCOVERY]: document({ jwks_uri: `${issuer}/moved` }) };
  await fresh.authenticate(header);
  clock.advance(60_000);
  await fresh.authenticate(newHeader);
  await assert.rejects(fresh.authenticate(header), { code: 'InvalidToken' });
  answers = workingAnswers();
});

for (const [title, path, answer] of [
  ['without a discovery document', '/.well-known/openid-configuration', { status: 500, body: '' }],
  [
    'whose discovery document names no keys',
    '/.well-known/openid-configuration',
    { status: 200, body: '{}' },
  ],
  ['whose keys are an error', '/keys', { status: 503, body: '{}' }],
  ['whose keys are no JSON', '/keys', { status: 200, body: '<html>' }],
  ['whose keys are no key set', '/keys', { status: 200, body: '{"keys":1}' }],
] as const) {
  test(`An issuer ${title} is IdentityProviderUnavailable, and once it works again so does everything`, async () => {
    const fresh = newOperators();
    const header = `Bearer ${await makeToken()}`;
    answers = { ...workingAnswers(), [path]: answer };
    await assert.rejects(fresh.authenticate(header), {
      code: 'IdentityProviderUnavailable',
      retryable: true,
    });
    answers = workingAnswers();
    assert.equal((await fresh.authenticate(header)).id, 'somebody');
  });
}

test('An issuer that nobody answers for is IdentityProviderUnavailable', async () => {
  const nobody = createServer();
  await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
  const { port } = nobody.address() as AddressInfo;
  await new Promise((resolve) => nobody.close(resolve));
  const settings = { issuer: `http://127.0.0.1:${port}`, audience: AUDIENCE, tenantId: TENANT };
  const gone = openIdOperators(settings, systemClock);
  await assert.rejects(gone.authenticate(`Bearer ${await makeToken()}`), {
    code: 'IdentityProviderUnavailable',
  });
});
