import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request as openRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { writeFunctionApp } from '../../support/function-app.ts';
import { type HostProcess, startHostProcess } from './host-process.ts';

const SOURCE = `
  app.setup({ enableHttpStream: true });
  app.http('echo', { methods: ['GET', 'POST'], route: 'echo/{id?}', authLevel: 'anonymous', handler: async (request) => ({
    status: 201,
    headers: { 'x-one': '1', connection: 'x-two', 'x-two': 'hop by hop' },
    cookies: [{ name: 'a', value: 'x y', path: '/p', httpOnly: true, sameSite: 'Lax' }, { name: 'b', value: '2' }],
    jsonBody: {
      method: request.method, url: request.url, params: request.params, query: Object.fromEntries(request.query),
      headers: Object.fromEntries(request.headers), body: await request.text(),
    },
  }) });
  app.post('pass', (request) => ({ body: request.body }));
  app.get('empty', () => ({ status: 204 }));
  app.get('throws', () => { throw new Error('the reason'); });
  app.get('nothing', () => {});
  app.get('secret', { authLevel: 'function', handler: () => ({}) });
  app.post('waits', async (request, context) => {
    try { await request.text(); } catch (error) { context.log('body ended: ' + error.message); }
    return {};
  });
`;

describe('The functions host with HTTP streams', () => {
  let host: HostProcess;
  let baseUrl = '';
  let removeApp = async () => {};
  before(async () => {
    const app = await writeFunctionApp({ functions: { 'all.js': SOURCE } });
    removeApp = app.remove;
    host = startHostProcess({
      appDir: app.appDir,
      settings: { FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '200000' },
    });
    ({ baseUrl } = await host.ready());
  });
  after(async () => {
    assert.equal(await host.end('SIGTERM'), 0);
    await removeApp();
  });

  /** A request whose body the test writes piece by piece. */
  const open = (path: string, method: string, headers: Record<string, string> = {}): ClientRequest =>
    openRequest(`${baseUrl}${path}`, { method, headers, agent: false });
  const answerTo = async (request: ClientRequest) =>
    ((await once(request, 'response')) as [IncomingMessage])[0];

  it('hands the request over, with query members among the params, and passes the answer on', async () => {
    const response = await fetch(`${baseUrl}/api/echo/7?x=1&id=from-query&X=2`, {
      method: 'POST',
      headers: { 'X-Thing': 'yes' },
      body: 'text',
    });
    assert.equal(response.status, 201);
    assert.equal(response.headers.get('x-one'), '1');
    assert.equal(response.headers.get('x-two'), null, 'named in connection, so hop by hop');
    assert.match(response.headers.get('x-ms-invocation-id') ?? '', /^[0-9a-f-]{36}$/);
    assert.deepEqual(response.headers.getSetCookie(), ['a=x%20y; Path=/p; HttpOnly; SameSite=Lax', 'b=2']);
    const seen = (await response.json()) as Record<string, Record<string, string>>;
    assert.equal(seen['method'], 'POST');
    assert.equal(seen['url'], `${baseUrl}/api/echo/7?x=1&id=from-query&X=2`);
    assert.deepEqual(seen['params'], { x: '1,2', id: '7' });
    assert.deepEqual(seen['query'], { x: '1', id: 'from-query', X: '2' });
    assert.equal(seen['headers']?.['x-thing'], 'yes');
    assert.match(seen['headers']?.['x-forwarded-for'] ?? '', /^127\.0\.0\.1:\d+$/);
    assert.equal(seen['body'], 'text');
  });

  it('shows a chunked body, which is lost without streams', async () => {
    const request = open('/api/echo', 'POST');
    request.write('seen');
    request.end();
    const chunks = await (await answerTo(request)).toArray();
    assert.equal((JSON.parse(Buffer.concat(chunks).toString()) as { body: string }).body, 'seen');
  });

  it('lets bytes through both ways while the request is still being sent', async () => {
    const request = open('/api/pass', 'POST');
    request.write('first');
    const response = await answerTo(request);
    const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    assert.equal(String((await pieces.next()).value), 'first');
    request.write(Buffer.from([0, 255, 128]));
    assert.deepEqual((await pieces.next()).value, Buffer.from([0, 255, 128]));
    request.end();
    assert.equal((await pieces.next()).done, true);
  });

  it('answers 204, 404, 401 and a body that is too long without streaming anything', async () => {
    assert.equal((await fetch(`${baseUrl}/api/empty`)).status, 204);
    assert.equal((await fetch(`${baseUrl}/api/unknown`)).status, 404);
    assert.equal((await fetch(`${baseUrl}/api/secret`)).status, 401);
    const long = await fetch(`${baseUrl}/api/pass`, { method: 'POST', body: 'x'.repeat(200_001) });
    assert.equal(long.status, 413);
  });

  it('refuses a chunked body once it is too long, which ends it for the function', async () => {
    const request = open('/api/waits', 'POST');
    request.on('error', () => undefined);
    request.write('x'.repeat(200_001));
    assert.equal((await answerTo(request)).statusCode, 413);
    request.destroy();
    await host.said('body ended: ');
  });

  it('never answers for a function that throws or returns nothing', async () => {
    for (const [name, sign] of [
      ['throws', "Executed 'Functions.throws' (Failed"],
      ['nothing', "Executed 'Functions.nothing' (Succeeded"],
    ] as const) {
      let hasAnswer = false;
      const request = open(`/api/${name}`, 'GET');
      request.on('response', () => {
        hasAnswer = true;
      });
      request.on('error', () => undefined);
      request.end();
      await host.said(sign);
      assert.equal((await fetch(`${baseUrl}/api/empty`)).status, 204, 'the host goes on');
      assert.equal(hasAnswer, false);
      request.destroy();
    }
    await host.said('The client disconnected while the function was processing the request.');
  });
});
