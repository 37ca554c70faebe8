import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startFunctionApp, type TestHost } from '../../support/function-app.ts';

const FUNCTIONS = `
  app.http('bytes', { methods: ['POST'], authLevel: 'anonymous', handler: async (request) => ({
    status: 201, headers: { 'content-type': 'application/octet-stream', 'x-one': '1' },
    body: Buffer.from(await request.arrayBuffer()),
    cookies: [{ name: 'a', value: 'x y', httpOnly: true, sameSite: 'Strict' }, { name: 'b', value: '2', path: '/p', maxAge: 5 }],
  }) });
  app.get('cookies', () => ({ headers: new Headers([['set-cookie', 'h1=1'], ['set-cookie', 'h2=2']]), cookies: [
    { name: 'all', value: 'v;é', expires: new Date(1795219200000), maxAge: 60, domain: 'example.org', path: '/p', secure: true, sameSite: 'None', httpOnly: true },
    { name: 'until', value: '', expires: 1795219200000, maxAge: '0' }, { name: 'lax', value: 'x', sameSite: 'Lax' },
  ] }));
  app.get('badName', () => ({ cookies: [{ name: 'a b', value: '1' }] }));
  app.get('badSecure', () => ({ cookies: [{ name: 'a', value: '1', secure: 'yes' }] }));
  app.get('bigint', () => ({ jsonBody: { n: 1n } }));
  app.get('badHeader', () => ({ headers: { 'x-name': 'łódź' } }));
  app.get('number', () => 5);
  app.http('both', { methods: ['GET', 'HEAD'], authLevel: 'anonymous', handler: (request) => ({ headers: { 'x-method': request.method }, body: 'text' }) });
  app.get('noContent', () => ({ status: 204, body: 'ignored' }));
  app.http('nothing', { methods: ['GET'], authLevel: 'anonymous', handler: () => {} });
  app.http('fails', { methods: ['GET'], authLevel: 'anonymous', handler: () => { throw new Error('the reason'); } });
  app.http('throwsNothing', { methods: ['GET'], authLevel: 'anonymous', handler: () => { throw undefined; } });
  app.http('text', { methods: ['GET'], authLevel: 'anonymous', handler: () => 'just text' });
  app.http('strange', { methods: ['GET'], authLevel: 'anonymous', handler: () => ({ status: 199 }) });
  app.http('badCookie', { methods: ['GET'], authLevel: 'anonymous', handler: () => ({ cookies: [{ name: 'a', value: 1 }] }) });
`;

describe('The functions host passes on what HTTP functions answer', () => {
  let host: TestHost;
  before(async () => {
    host = await startFunctionApp({ functions: { 'all.js': FUNCTIONS } });
  });
  after(() => host.stop());
  const get = (path: string, init?: RequestInit) => fetch(`${host.baseUrl}${path}`, init);

  it('keeps bytes, status, headers and cookies', async () => {
    const sent = Uint8Array.from({ length: 256 }, (_, at) => at);
    const response = await get('/api/bytes', { method: 'POST', body: sent });
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('content-type'), 'application/octet-stream');
    assert.equal(response.headers.get('x-one'), '1');
    assert.equal(response.headers.get('content-length'), '256');
    assert.deepEqual(response.headers.getSetCookie(), [
      'a=x%20y; path=/; samesite=strict; httponly',
      'b=2; max-age=5; path=/p',
    ]);
    assert.deepEqual(new Uint8Array(await response.arrayBuffer()), sent);
  });

  it('writes cookies with all their attributes, beside the last of several set-cookie headers', async () => {
    const response = await get('/api/cookies');
    assert.deepEqual(response.headers.getSetCookie(), [
      'h2=2',
      'all=v%3B%C3%A9; expires=Sat, 21 Nov 2026 00:00:00 GMT; max-age=60; domain=example.org; path=/p; secure; samesite=none; httponly',
      'until=; expires=Sat, 21 Nov 2026 00:00:00 GMT; max-age=0; path=/',
      'lax=x; path=/; samesite=lax',
    ]);
  });

  it('answers HEAD where a function lists it, without the body but with its length', async () => {
    const response = await get('/api/both', { method: 'HEAD' });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('x-method'), 'HEAD');
    assert.equal(response.headers.get('content-length'), '4');
    assert.equal(await response.text(), '');
  });

  it('sends no body and no length with 204', async () => {
    const response = await get('/api/noContent');
    assert.equal(response.status, 204);
    assert.equal(response.headers.get('content-length'), null);
  });

  it('answers an empty 500 to what fails and writes the reason to the log only', async () => {
    const shape = 'The HTTP response must be an object with optional properties';
    for (const [name, words] of [
      ['fails', 'the reason'],
      ['text', shape],
      ['number', shape],
      ['strange', 'must be in the range of 200 to 599, inclusive'],
      [
        'badCookie',
        "A 'string' type was expected instead of a 'number' type. Cannot parse value of 'cookie.value'.",
      ],
      [
        'badSecure',
        "A 'boolean' type was expected instead of a 'string' type. Cannot parse value of 'cookie.secure'.",
      ],
      ['badName', 'Invalid cookie name: "a b"'],
      ['bigint', 'Do not know how to serialize a BigInt'],
      ['badHeader', 'Cannot convert argument to a ByteString'],
    ] as const) {
      const before = host.lines.length;
      const response = await get(`/api/${name}`);
      assert.equal(response.status, 500, name);
      assert.equal(await response.text(), '');
      assert.ok(
        host.lines.slice(before).some((line) => line.includes(words)),
        name,
      );
    }
  });

  it('answers 204 to a function that returns or throws nothing', async () => {
    assert.equal((await get('/api/nothing')).status, 204);
    assert.equal((await get('/api/throwsNothing')).status, 204);
  });
});
