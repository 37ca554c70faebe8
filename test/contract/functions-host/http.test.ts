import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { MASTER_KEY, startFunctionApp, type TestHost } from '../../support/function-app.ts';

const FUNCTIONS = `
  const echo = async (request, context) => ({
    jsonBody: {
      method: request.method, url: request.url, params: request.params,
      query: Object.fromEntries(request.query), headers: Object.fromEntries(request.headers),
      body: await request.text(), trace: context.traceContext.traceParent, user: request.user,
    },
  });
  app.http('echo', { methods: ['GET', 'POST'], authLevel: 'anonymous', route: 'echo/{id:int}/{name?}', handler: echo });
  app.http('listAll', { methods: ['GET'], authLevel: 'anonymous', route: 'list/{id}', handler: () => ({ body: 'listAll' }) });
  app.http('listRecent', { methods: ['GET'], authLevel: 'anonymous', route: 'list/recent', handler: () => ({ body: 'listRecent' }) });
  app.http('byDefault', { methods: ['GET'], authLevel: 'anonymous', handler: () => ({ body: 'default route' }) });
  app.http('rest', { methods: ['GET'], authLevel: 'anonymous', route: 'files/v-{version}/{*rest}', handler: (request) => ({ jsonBody: request.params }) });
  app.http('secret', { methods: ['GET'], authLevel: 'function', handler: () => ({ body: 'in' }) });
  let waiting;
  app.http('waits', { methods: ['GET'], authLevel: 'anonymous', handler: () => new Promise((resolve) => { waiting = () => resolve({ body: 'released' }); }) });
  app.http('releases', { methods: ['POST'], authLevel: 'anonymous', handler: () => { waiting(); return { status: 204 }; } });

  app.http('bytes', { methods: ['POST'], authLevel: 'anonymous', handler: async (request) => ({
    status: 201, headers: { 'content-type': 'application/octet-stream', 'x-one': '1' },
    body: Buffer.from(await request.arrayBuffer()),
    cookies: [{ name: 'a', value: 'x y', httpOnly: true, sameSite: 'Strict' }, { name: 'b', value: '2', path: '/p', maxAge: 5 }],
  }) });
`;

describe('The functions host on HTTP', () => {
  let host: TestHost;
  before(async () => {
    host = await startFunctionApp(
      { functions: { 'all.js': FUNCTIONS } },
      { settings: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1000' } },
    );
  });
  after(() => host.stop());
  const get = (path: string, init?: RequestInit) => fetch(`${host.baseUrl}${path}`, init);

  it('hands method, url, params, query, headers and body to the function', async () => {
    const response = await get('/api/echo/7/a%20b%2Fc?x=1&x=2&empty=&plus=a+b', {
      method: 'POST',
      headers: {
        'X-Thing': 'yes',
        'x-empty': '',
        'content-type': 'application/json',
        'x-forwarded-for': '10.0.0.1',
      },
      body: '{"a":1}',
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    const seen = (await response.json()) as Record<string, Record<string, string>>;
    assert.equal(seen['method'], 'POST');
    assert.equal(seen['url'], `${host.baseUrl}/api/echo/7/a%20b%2Fc?x=1&x=2&empty=&plus=a+b`);
    assert.deepEqual(seen['params'], { id: '7', name: 'a b%2Fc' }, 'a slash keeps its code');
    assert.deepEqual(seen['query'], { x: '1,2', empty: '', plus: 'a b' });
    assert.equal(seen['headers']?.['x-thing'], 'yes');
    assert.equal(seen['headers']?.['x-empty'], '');
    assert.match(seen['headers']?.['x-forwarded-for'] ?? '', /^10\.0\.0\.1, 127\.0\.0\.1:\d+$/);
    assert.equal(seen['body'], '{"a":1}');
  });

  it("goes on with the caller's trace", async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const response = await get('/api/echo/1', {
      headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    const { trace } = (await response.json()) as { trace: string };
    assert.match(trace, new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
    assert.doesNotMatch(trace, /b7ad6b7169203331/);
  });

  it('passes the platform authentication header through as the real host does', async () => {
    const principal = Buffer.from(JSON.stringify({ identityProvider: 'aad', userId: 'u' })).toString(
      'base64',
    );
    const response = await get('/api/echo/1', { headers: { 'x-ms-client-principal': principal } });
    const { user } = (await response.json()) as { user: { id: string } | null };
    assert.equal(user?.id, 'u');
  });

  it('leaves out an optional parameter and holds to constraints', async () => {
    const response = await get('/API/Echo/-12/');
    assert.deepEqual(((await response.json()) as { params: unknown }).params, { id: '-12' });
    assert.equal((await get('/api/echo/twelve')).status, 404);
    assert.equal((await get('/api/echo/99999999999')).status, 404);
    assert.equal((await get('/api/echo/1/two/three')).status, 404);
  });

  it('matches text around a parameter and a catch-all', async () => {
    assert.deepEqual(await (await get('/api/files/v-3/a/b.txt')).json(), { version: '3', rest: 'a/b.txt' });
    assert.deepEqual(await (await get('/api/files/v-3')).json(), { version: '3' });
    assert.equal((await get('/api/files/v-')).status, 404);
  });

  it('tries routes in the order of the function names, not by how specific they are', async () => {
    assert.equal(await (await get('/api/list/recent')).text(), 'listAll');
  });

  it('uses the function name where there is no route', async () => {
    assert.equal(await (await get('/api/byDefault')).text(), 'default route');
  });

  it('answers 404 for no route, for another method, and for HEAD on a GET function', async () => {
    for (const [path, method] of [
      ['/', 'GET'],
      ['/api', 'GET'],
      ['/api/unknown', 'GET'],
      ['/byDefault', 'GET'],
      ['/api/byDefault', 'POST'],
      ['/api/byDefault', 'HEAD'],
    ] as const) {
      const response = await get(path, { method });
      assert.equal(response.status, 404, `${method} ${path}`);
      assert.equal(await response.text(), '');
    }
  });

  it('reads query members as ASP.NET Core does', async () => {
    const response = await get('/api/echo/1?flag&=x&A=1&a=2&&bad=%zz&e=%C3%A9&e=+%2B');
    const { query } = (await response.json()) as { query: unknown };
    assert.deepEqual(query, { flag: '', '': 'x', A: '1,2', bad: '%zz', e: 'é, +' });
  });

  it('joins repeated headers, keeps empty ones, and drops the body of a GET with a warning', async () => {
    const head =
      'GET /api/echo/1 HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-a: 2\r\nX-E:\r\nContent-Length: 4\r\n\r\nbody';
    const answer = await raw(host, head);
    const seen = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as {
      headers: Record<string, string>;
      body: string;
    };
    assert.equal(seen.headers['x-a'], '1,2');
    assert.equal(seen.headers['x-e'], '');
    assert.equal(seen.body, '');
    assert.ok(host.lines.some((line) => line.includes('Discarding the body of the incoming GET request')));
  });

  it('wants the key, by header or query, for a function that is not anonymous', async () => {
    assert.equal((await get('/api/secret')).status, 401);
    assert.equal((await get('/api/secret', { headers: { 'x-functions-key': 'wrong' } })).status, 401);
    assert.equal((await get('/api/secret', { headers: { 'x-functions-key': MASTER_KEY } })).status, 200);
    assert.equal((await get(`/api/secret?code=${MASTER_KEY}`)).status, 200);
    assert.equal(host.lines.filter((line) => line.includes(MASTER_KEY)).length, 0);
  });

  it('refuses a body over the limit by its Content-Length, before it is sent', async () => {
    const answer = await raw(
      host,
      'POST /api/bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\nExpect: 100-continue\r\n\r\n',
    );
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /connection: close/i);
  });

  it('refuses a chunked body as soon as it is over the limit', async () => {
    const chunk = `200\r\n${'a'.repeat(0x200)}\r\n`;
    const head = 'POST /api/bytes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n';
    assert.match(await raw(host, head + chunk + chunk), /^HTTP\/1\.1 413 /);
  });

  it('takes a body of exactly the limit', async () => {
    const response = await get('/api/bytes', { method: 'POST', body: 'a'.repeat(1000) });
    assert.equal((await response.text()).length, 1000);
  });

  it('shows a chunked body as empty, as the real worker does', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('unseen'));
        controller.close();
      },
    });
    const response = await get('/api/echo/1', { method: 'POST', body, duplex: 'half' } as RequestInit);
    assert.equal(((await response.json()) as { body: string }).body, '');
  });

  it('resolves dots in the path before it looks for a route', async () => {
    const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    assert.match(await raw(host, request('/api/x/../byDefault')), /^HTTP\/1\.1 200 /);
    assert.match(await raw(host, request('/api/../admin/host/status')), /^HTTP\/1\.1 401 /);
  });

  it('refuses what is no path or no host', async () => {
    assert.match(await raw(host, 'GET /api/byDefault HTTP/1.1\r\nHost: a b\r\n\r\n'), /^HTTP\/1\.1 400 /);
    assert.match(await raw(host, 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 400 /);
  });

  it('keeps an idle connection as long as Kestrel does', async () => {
    const answer = await raw(host, 'GET /api/byDefault HTTP/1.1\r\nHost: x\r\n\r\n');
    assert.match(answer, /\r\nkeep-alive: timeout=130\r\n/i);
  });

  it('runs invocations side by side', async () => {
    const waiting = get('/api/waits');
    let released = 500;
    // The second call needs the first to have begun; until then it fails, which shows nothing but that.
    while (released === 500) released = (await get('/api/releases', { method: 'POST' })).status;
    assert.equal(await (await waiting).text(), 'released');
  });

  it('logs each invocation with name, id and outcome, without query and body', async () => {
    await get('/api/echo/1?word=visible-nowhere', { method: 'POST', body: 'also-nowhere' });
    const text = host.lines.join('\n');
    assert.match(text, /Executing 'Functions\.echo' \(Reason='[^']+', Id=[0-9a-f-]{36}\)/);
    assert.match(text, /Executed 'Functions\.echo' \(Succeeded, Id=[0-9a-f-]{36}, Duration=\d+ms\)/);
    assert.doesNotMatch(text, /visible-nowhere|also-nowhere/);
  });
});

/** Sends text and reads until the server closes the connection or has answered without more to come. */
async function raw(host: TestHost, text: string): Promise<string> {
  const { port, hostname } = new URL(host.baseUrl);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(text);
  let answer = '';
  for await (const chunk of socket) {
    answer += String(chunk);
    if (answer.includes('\r\n\r\n')) break;
  }
  socket.destroy();
  return answer;
}
