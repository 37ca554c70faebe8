import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Plan, Status } from '../support/contract-shapes.ts';
import { LocalEnvironment } from '../support/local-environment.ts';
import { makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';
import { accessRules } from './operators/access-rules.ts';
import { auditLog } from './operators/audit-log.ts';
import { authorities } from './operators/authorities.ts';
import { chains } from './operators/chains.ts';
import { clusters } from './operators/clusters.ts';
import { identities } from './operators/identities.ts';
import { ocsp } from './operators/ocsp.ts';
import { revocationLists } from './operators/revocation-lists.ts';
import { watching } from './operators/watching.ts';
import { problem } from './support/problem.ts';

let stateDir: string;
let everleaf: LocalEnvironment;

before(async () => {
  stateDir = makeStateDirectory();
  everleaf = await LocalEnvironment.start(stateDir);
});
after(async () => {
  await everleaf?.stop();
  await removeStateDirectory(stateDir);
});

// One environment for them all, in this order: the log is read while the first start alone is in it, the pages while there
// are ten clients.
auditLog(() => everleaf);

describe('the pages of operators', () => {
  for (const path of ['/api/status', '/api/plan']) {
    it(`${path} wants a token of the configured issuer`, async () => {
      const none = await everleaf.api(path);
      problem(none, 401, 'NoAuthenticationInformation');
      assert.match(none.headers.get('www-authenticate') ?? '', /^Bearer/);
      const [header, payload, signature] = everleaf.operatorToken.split('.');
      const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
      const wrong = [
        'garbage',
        `${header}.${payload}.${'A'.repeat(signature?.length ?? 0)}`,
        `${unsigned}.${payload}.`,
        // A genuine token of the same issuer, for the vaults and not for this API.
        everleaf.personToken,
        everleaf.loginFile('Mocctl').token,
      ];
      for (const bearer of wrong) problem(await everleaf.api(path, { token: bearer }), 401, 'InvalidToken');
      const basic = await everleaf.api(path, { headers: { authorization: 'Basic dXNlcjpwYXNz' } });
      problem(basic, 401, 'NoAuthenticationInformation');
    });

    it(`${path} opens to the reader and to the operator`, async () => {
      for (const bearer of [everleaf.readerToken, everleaf.operatorToken]) {
        const answer = await everleaf.api<Status & Plan>(path, { token: bearer });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers.get('cache-control'), 'no-store');
      }
    });
  }

  it('show ten clients, of which eight have their credentials in the vault', async () => {
    const { totals, identities, overall, authority } = await everleaf.status();
    assert.equal(overall, 'ok');
    assert.equal(totals.clusters, 1);
    assert.equal(totals.identities, 10);
    assert.equal(identities.length, 10);
    const delivered = identities.filter(({ delivery }) => delivery === 'vault');
    assert.deepEqual([...new Set(delivered.map(({ state }) => state))], ['Healthy']);
    assert.equal(delivered.length, 8);
    for (const { certificate } of delivered) assert.equal(certificate?.authorityId, authority.activeId);
  });

  it('come in pages of the size that is asked for', async () => {
    const names: string[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { json } = await everleaf.api<Status & { nextCursor: string | null }>(
        `/api/status?limit=4${query}`,
        { token: everleaf.readerToken },
      );
      assert.ok(json.identities.length <= 4);
      names.push(...json.identities.map(({ name }) => name));
      cursor = json.nextCursor;
    } while (cursor !== null);
    assert.equal(new Set(names).size, 10);
    assert.equal(names.length, 10);
  });

  it('refuse a question that makes no sense', async () => {
    for (const query of [
      '/api/plan?at=tomorrow',
      '/api/plan?limit=0',
      '/api/status?limit=501',
      '/api/status?state=Odd',
    ]) {
      problem(await everleaf.api(query, { token: everleaf.readerToken }), 400, 'InvalidInput');
    }
  });
});

describe('what everybody may read', () => {
  it('health says in codes and without names that all is well', async () => {
    const answer = await everleaf.api<unknown>('/api/health');
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, { status: 'ok', codes: [] });
  });

  it('the bundle has an entity tag, and is not sent again to whoever has it', async () => {
    const first = await everleaf.api('/api/ca-bundle');
    assert.equal(first.status, 200);
    assert.equal(first.headers.get('content-type'), 'application/x-pem-file');
    const etag = first.headers.get('etag') ?? '';
    assert.match(etag, /^"[0-9a-f]{64}"$/);
    const ask = (known: string) => everleaf.api('/api/ca-bundle', { headers: { 'if-none-match': known } });
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await ask(known);
      assert.equal(again.status, 304, known);
      assert.equal(again.text, '');
      assert.equal(again.headers.get('etag'), etag);
    }
    const other = await ask('"other"');
    assert.equal(other.status, 200);
    assert.equal(other.text, first.text);
  });
});

describe('the correlation id', () => {
  it("is the caller's own when it has the right form, in header and problem alike", async () => {
    for (const id of ['abcd1234', '0f8fad5b-d9cb-469f-a165-70867728950e', 'A'.repeat(64)]) {
      const headers = { 'x-correlation-id': id };
      assert.equal((await everleaf.api('/api/health', { headers })).headers.get('x-correlation-id'), id);
      const refused = await everleaf.login({ token: 'wrong' }, headers);
      assert.equal(problem(refused, 401, 'InvalidToken').correlationId, id);
    }
  });

  it('is a new one otherwise', async () => {
    for (const id of [
      'short',
      'A'.repeat(65),
      'with blanks in it',
      'under_score',
      'a,b,c,d,e,f',
      '<script>',
    ]) {
      const { headers } = await everleaf.api('/api/health', { headers: { 'x-correlation-id': id } });
      assert.match(headers.get('x-correlation-id') ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    }
    const answers = await Promise.all([1, 2].map(() => everleaf.api('/api/health')));
    assert.equal(new Set(answers.map(({ headers }) => headers.get('x-correlation-id'))).size, 2);
  });
});

describe('a path or method that is not there', () => {
  it('gets 404, as in Azure', async () => {
    for (const [method, path] of [
      ['GET', '/api/login'],
      ['PUT', '/api/login'],
      ['POST', '/api/ca-bundle'],
      ['POST', '/api/status'],
      ['DELETE', '/api/plan'],
      // The Functions host knows a method or does not: HEAD is not a kind of GET to it.
      ['HEAD', '/api/health'],
      ['HEAD', '/api/ca-bundle'],
      ['GET', '/api'],
      ['GET', '/api/nothing'],
      ['GET', '/'],
    ] as const) {
      assert.equal((await everleaf.api(path, { method })).status, 404, `${method} ${path}`);
    }
  });
});

watching(() => everleaf);
accessRules(() => everleaf);
clusters(() => everleaf);
identities(() => everleaf);
ocsp(() => everleaf);
revocationLists(() => everleaf);

// The last, because it has every certificate in the vaults renewed.
authorities(() => everleaf);

// The authorities' tests are over: here another one comes to sign.
chains(() => everleaf);
