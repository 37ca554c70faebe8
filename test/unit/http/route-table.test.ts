/** Which credential opens which route: the table itself, walked credential by credential. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import functions, { type HttpMethod } from '@azure/functions';
import type { App } from '../../../shared/app.ts';
import { isEverleafError } from '../../../shared/domain/errors.ts';
import { authenticate } from '../../../shared/http/caller.ts';
import { ROUTES, type RouteMethod, type RoutePolicy } from '../../../shared/http/routes.ts';
import { firstStart } from '../../../shared/use-cases/first-start.ts';
import { putAssignment } from '../../../shared/use-cases/role-assignments.ts';
import { memoryWorld } from '../../support/memory-world.ts';
import { type OperatorIssuer, startOperatorIssuer } from '../../support/operator-issuer.ts';

/**
 * Who is let in, of those who have to show something. `o` an operator by app role, `r` a reader by app role, `c` a
 * Contributor by assignment at `/`, `s` an Owner by assignment at `/clusters/management` alone, where the route is about
 * that cluster. `everybody`: nothing is asked for here; the use case may want a token or a proof.
 */
const OPEN_TO: Readonly<Record<string, string>> = {
  'POST login': 'everybody',
  'GET ca-bundle': 'everybody',
  'GET health': 'everybody',
  'GET status': 'orc',
  'GET plan': 'orc',
  'GET roles': 'orc',
  'PUT roles': 'o',
  'GET roles/{role}': 'orc',
  'PUT roles/{role}': 'o',
  'DELETE roles/{role}': 'o',
  'GET role-assignments': 'orc',
  'PUT role-assignments': 'o',
  'GET role-assignments/{id}': 'orc',
  'PUT role-assignments/{id}': 'o',
  'DELETE role-assignments/{id}': 'o',
  'POST access-check': 'orc',
};

interface Row {
  readonly name: string;
  readonly method: RouteMethod;
  readonly policy: RoutePolicy;
}

const rows: readonly Row[] = Object.values(ROUTES as Readonly<Record<string, RoutePolicy>>).flatMap(
  (policy) =>
    (Object.keys(policy.methods) as RouteMethod[]).map((method) => ({
      name: `${method} ${policy.route}`,
      method,
      policy,
    })),
);

let issuer: OperatorIssuer;
let app: App;
const headers: Record<string, Record<string, string>> = {};

before(async () => {
  issuer = await startOperatorIssuer();
  const { deps, run } = memoryWorld();
  await firstStart(deps, run);
  app = { deps, operators: issuer.operators };
  for (const [id, roleName, scope] of [
    ['contributor', 'Contributor', '/'],
    ['scoped', 'Owner', '/clusters/management'],
  ] as const) {
    await putAssignment(deps, run, { id, roleName, scope, principal: { kind: 'operator', id } }, null);
  }
  const bearer = async (...token: Parameters<OperatorIssuer['token']>) => ({
    authorization: `Bearer ${await issuer.token(...token)}`,
  });
  headers['none'] = {};
  headers['garbage'] = { authorization: 'Bearer garbage' };
  headers['stranger'] = await bearer('stranger', ['Everleaf.Operator'], 'other-tenant');
  headers['nobody'] = await bearer('nobody', ['Owner', 'everleaf.operator']);
  headers['o'] = await bearer('operator', ['Everleaf.Operator']);
  headers['r'] = await bearer('reader', ['Everleaf.Reader']);
  headers['c'] = await bearer('contributor');
  headers['s'] = await bearer('scoped');
});
after(() => issuer.stop());

/** What a credential gets at a row: `open`, or the code of the refusal. */
async function outcome({ method, policy }: Row, who: string, cluster = 'management'): Promise<string> {
  const access = policy.methods[method];
  assert.ok(access !== undefined);
  const request = new functions.HttpRequest({
    method: method as HttpMethod,
    url: `http://127.0.0.1/api/${policy.route}`,
    params: { cluster, name: 'KMS', id: 'one', role: 'Helper' },
    headers: headers[who] ?? {},
  });
  try {
    await authenticate(app, access, request);
    return 'open';
  } catch (error) {
    if (isEverleafError(error)) return error.code;
    throw error;
  }
}

describe('the table of routes', () => {
  it('has a line here for every row, and none beyond', () => {
    assert.deepEqual(rows.map(({ name }) => name).sort(), Object.keys(OPEN_TO).sort());
  });

  for (const row of rows) {
    const openTo = OPEN_TO[row.name] ?? '';
    it(`opens ${row.name} to ${openTo}`, async () => {
      const refusals = {
        none: 'NoAuthenticationInformation',
        garbage: 'InvalidToken',
        stranger: 'InvalidToken',
      };
      const isEverybody = openTo === 'everybody';
      for (const [who, code] of Object.entries(refusals)) {
        assert.equal(await outcome(row, who), isEverybody ? 'open' : code, who);
      }
      for (const who of ['nobody', 'o', 'r', 'c', 's']) {
        const isOpen = isEverybody || openTo.includes(who);
        assert.equal(await outcome(row, who), isOpen ? 'open' : 'AccessDenied', who);
      }
      assert.equal(await outcome(row, 's', 'other'), isEverybody ? 'open' : 'AccessDenied', 's elsewhere');
    });
  }
});

describe('a caller', () => {
  const requestOf = (who: string) =>
    new functions.HttpRequest({ method: 'GET', url: 'http://127.0.0.1/api/x', headers: headers[who] ?? {} });

  it('is asked for more than the route’s own row says', async () => {
    const caller = await authenticate(app, ROUTES.status.methods.GET, requestOf('c'));
    assert.equal((await caller.may('identity/rotate', '/clusters/management')).role, 'Contributor');
    await caller.demand('identity/rotate', '/');
    await assert.rejects(caller.demand('admin/issue', '/'), {
      code: 'AccessDenied',
      message: /admin\/issue at \//,
    });
  });

  it('may do nothing where nobody asked who it is', async () => {
    const caller = await authenticate(app, ROUTES.health.methods.GET, requestOf('o'));
    assert.equal((await caller.may('status/read', '/')).allowed, false);
    assert.equal(caller.actor.kind, 'anonymous');
  });

  it('gets no further with parameters that name no scope', async () => {
    const access = { credential: 'operator', action: 'cluster/read', scope: '/clusters/{cluster}' } as const;
    for (const cluster of ['Management', 'a/identities/b', '', '..']) {
      const params = { cluster };
      const request = new functions.HttpRequest({
        method: 'GET',
        url: 'http://127.0.0.1/api/x',
        params,
        headers: headers['s'] ?? {},
      });
      await assert.rejects(authenticate(app, access, request), { code: 'InvalidInput' });
    }
  });
});
