/** Which credential opens which route: the table itself, walked credential by credential. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import functions, { type HttpRequestInit } from '@azure/functions';
import type { App } from '../../../shared/app.ts';
import { isEverleafError } from '../../../shared/domain/errors.ts';
import { type Arrival, anonymousActor, authenticate } from '../../../shared/http/caller.ts';
import { proveCaller } from '../../../shared/http/proof.ts';
import { ROUTES, type RouteMethod, type RoutePolicy } from '../../../shared/http/routes.ts';
import { firstStart } from '../../../shared/use-cases/first-start.ts';
import { removeOldFailures } from '../../../shared/use-cases/login-limit.ts';
import { deleteAssignment, putAssignment } from '../../../shared/use-cases/role-assignments.ts';
import {
  certificateOf,
  logIn,
  management,
  NODE_AGENT,
  requestOf,
  tokenFromLoginFile,
  tokenFromVault,
} from '../../support/agent.ts';
import { memoryWorld, type World } from '../../support/memory-world.ts';
import { type OperatorIssuer, startOperatorIssuer } from '../../support/operator-issuer.ts';
import { makeProof, type ProofParts } from '../../support/proofs.ts';
import { keyPair } from '../pki/support/keys.ts';

/**
 * Who is let in, of those who have to show something. `o` an operator by app role, `r` a reader by app role, `c` a
 * Contributor by assignment at `/`, `s` an Owner by assignment at `/clusters/management` alone, where the route is about
 * that cluster; `a` the Admin identity and `h` the Host by proof. `everybody`: nothing is asked for here; the use case may want a token or a proof.
 */
const OPEN_TO: Readonly<Record<string, string>> = {
  'POST login': 'everybody',
  'GET ca-bundle': 'everybody',
  'POST ocsp': 'everybody',
  'GET ocsp/{*request}': 'everybody',
  'GET health': 'everybody',
  'GET openapi.json': 'everybody',
  'GET crl/{authority}': 'everybody',
  'GET ca/{authority}': 'everybody',
  'GET status': 'orca',
  'GET metrics': 'orca',
  'GET plan': 'orca',
  'GET clusters': 'orca',
  'POST clusters': 'oca',
  'GET clusters/{cluster}': 'orcsa',
  'DELETE clusters/{cluster}': 'ocsa',
  'POST clusters/{cluster}/renew': 'ocsa',
  'POST clusters/{cluster}/update': 'ocsa',
  'GET operations/{id}': 'orca',
  'GET operations/{id}/login-files': 'oca',
  'GET roles': 'orca',
  'PUT roles': 'oa',
  'GET roles/{role}': 'orca',
  'PUT roles/{role}': 'oa',
  'DELETE roles/{role}': 'oa',
  'GET role-assignments': 'orca',
  'PUT role-assignments': 'oa',
  'GET role-assignments/{id}': 'orca',
  'PUT role-assignments/{id}': 'oa',
  'DELETE role-assignments/{id}': 'oa',
  'POST access-check': 'orcah',
  'GET events': 'orca',
  'GET clusters/{cluster}/identities': 'orcas',
  'POST clusters/{cluster}/identities': 'ocas',
  'GET clusters/{cluster}/identities/{name}': 'orcas',
  'PATCH clusters/{cluster}/identities/{name}': 'ocas',
  'DELETE clusters/{cluster}/identities/{name}': 'ocas',
  'POST clusters/{cluster}/identities/{name}/rotate': 'ocas',
  'POST clusters/{cluster}/identities/{name}/revoke': 'ocas',
  'GET clusters/{cluster}/identities/{name}/instances': 'orcas',
  'POST clusters/{cluster}/identities/{name}/instances/{id}/unlock': 'ocas',
  'POST token/rotate': 'everybody',
  'GET revocations': 'orca',
  'POST revocations': 'oca',
  'DELETE revocations/{id}': 'oca',
  'GET authorities': 'orca',
  'POST authorities/roll': 'oca',
  'POST authorities/prepare': 'oca',
  'POST authorities/{id}/activate': 'oca',
  'POST authorities/{id}/cancel': 'oca',
  'GET authorities/{id}/csr': 'orca',
  // Beyond the row, the use case wants admin/issue of whoever brings a certificate.
  'POST authorities/{id}/certificate': 'oca',
  'POST authorities/{id}/taint': 'oca',
  'POST authorities/{id}/pause': 'oca',
  'POST authorities/{id}/resume': 'oca',
  'POST authorities/{id}/revoke': 'oca',
  'POST certificates/renew': 'everybody',
  'POST bundle/acknowledge': 'everybody',
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
let world: World;
/** Headers of those with a bearer token, or none; certificates of those who prove their key. */
const headers: Record<string, Record<string, string>> = {};
const certificates: Record<string, Uint8Array> = {};

before(async () => {
  issuer = await startOperatorIssuer();
  world = memoryWorld();
  const { deps, run } = world;
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
  const mocctl = management('Mocctl');
  const host = management('CloudAgent');
  for (const [who, id, token] of [
    ['a', mocctl, await tokenFromLoginFile(world, mocctl)],
    ['h', host, tokenFromVault(world, host)],
    ['node', NODE_AGENT, await tokenFromLoginFile(world, NODE_AGENT)],
  ] as const) {
    certificates[who] = certificateOf(await logIn(world, token, requestOf(id, who)));
  }
});
after(() => issuer.stop());

const BODY = '{}';

function proofOf(who: string, parts: Partial<ProofParts>): Record<string, string> {
  const certificate = certificates[who];
  assert.ok(certificate !== undefined);
  const now = world.clock.now();
  const proof = makeProof({ certificate, key: keyPair('P-256', who), path: '/api/x', now, ...parts });
  return { 'x-everleaf-proof': proof };
}

function arrivalOf(
  request: Pick<HttpRequestInit, 'headers' | 'method'> & { path?: string; params?: Record<string, string> },
): Arrival {
  const { path = '/api/x', method = 'GET', ...others } = request;
  const made = new functions.HttpRequest({
    method,
    url: `http://127.0.0.1${path}`,
    ...others,
    ...(method === 'GET' ? {} : { body: { bytes: new TextEncoder().encode(BODY) } }),
  });
  return { app, request: made, run: { ...world.run, actor: anonymousActor(made) } };
}

/** What a credential gets at a row: `open`, or the code of the refusal. */
async function outcome({ method, policy }: Row, who: string, cluster = 'management'): Promise<string> {
  const access = policy.methods[method];
  assert.ok(access !== undefined);
  const params = { cluster, name: 'KMS', id: 'one', role: 'Helper' };
  const path = `/api/${policy.route.replace(/\{(\w+)\}/g, (_, name: string) => Object(params)[name] ?? 'x')}`;
  const body = method === 'GET' ? null : BODY;
  const shown = who in certificates ? proofOf(who, { path, method, body }) : (headers[who] ?? {});
  const arrival = arrivalOf({ path, method, params, headers: shown });
  try {
    await authenticate(arrival, access);
  } catch (error) {
    if (isEverleafError(error)) return error.code;
    throw error;
  }
  // Whoever checked the body has left it to the handler.
  if (method !== 'GET') assert.equal(await arrival.request.text(), BODY);
  return 'open';
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
      for (const who of ['nobody', 'o', 'r', 'c', 's', 'a', 'h', 'node']) {
        const isOpen = isEverybody || (who.length === 1 && openTo.includes(who));
        assert.equal(await outcome(row, who), isOpen ? 'open' : 'AccessDenied', who);
      }
      assert.equal(await outcome(row, 's', 'other'), isEverybody ? 'open' : 'AccessDenied', 's elsewhere');
    });
  }
});

describe('a caller', () => {
  const arrival = (who: string) => arrivalOf({ headers: headers[who] ?? {} });
  const status = ROUTES.status.methods.GET;

  it('is asked for more than the route’s own row says', async () => {
    const caller = await authenticate(arrival('c'), status);
    assert.equal((await caller.may('identity/rotate', '/clusters/management')).role, 'Contributor');
    await caller.demand('identity/rotate', '/');
    await assert.rejects(caller.demand('admin/issue', '/'), {
      code: 'AccessDenied',
      message: /admin\/issue at \//,
    });
  });

  it('may do nothing where nobody asked who it is', async () => {
    const caller = await authenticate(arrival('o'), ROUTES.health.methods.GET);
    assert.equal((await caller.may('status/read', '/')).allowed, false);
    assert.equal(caller.actor.kind, 'anonymous');
  });

  it('is an operator by bearer token and an agent by proof, from the last hop that the front end wrote', async () => {
    const from = { 'x-forwarded-for': '10.0.0.1, 192.0.2.7:4711' };
    const source = '192.0.2.7';
    const operator = await authenticate(arrivalOf({ headers: { ...headers['o'], ...from } }), status);
    assert.deepEqual(operator.actor, { kind: 'operator', id: 'operator', source });
    const agent = await authenticate(
      arrivalOf({ headers: { ...proofOf('a', { method: 'GET' }), ...from } }),
      status,
    );
    assert.deepEqual(agent.actor, { kind: 'agent', id: 'management/Mocctl', source });
  });

  it('with a proof of something else gets nowhere, whatever bearer token comes along', async () => {
    for (const parts of [
      { method: 'POST' },
      { path: '/api/plan' },
      { key: keyPair('P-256', 'thief') },
      { now: new Date(world.clock.now().getTime() - 3_600_000) },
    ]) {
      const shown = { ...headers['o'], ...proofOf('a', { method: 'GET', ...parts }) };
      await assert.rejects(authenticate(arrivalOf({ headers: shown }), status), { code: 'InvalidProof' });
    }
    const otherBody = proofOf('a', { method: 'PUT', body: '{"actions":["*"]}' });
    const put = arrivalOf({ method: 'PUT', headers: otherBody });
    await assert.rejects(authenticate(put, ROUTES.roles.methods.PUT), { code: 'InvalidProof' });
  });

  it('opens one request of an operator with a proof, however it comes again', async () => {
    const shown = proofOf('a', { method: 'GET' });
    const arrive = (query = '') =>
      authenticate(arrivalOf({ path: `/api/x${query}`, headers: shown }), status);
    const replayed = { code: 'InvalidProof', details: { reason: 'replayed' } };
    await arrive();
    await assert.rejects(arrive(), replayed);
    world.clock.advance(4 * 60_000);
    await removeOldFailures(world.deps);
    await assert.rejects(arrive('?cluster=management'), replayed);
    // One that gets nowhere is spent as well, and another of the same minute is not.
    const noAdmin = proofOf('node', { method: 'GET' });
    await assert.rejects(authenticate(arrivalOf({ headers: noAdmin }), status), { code: 'AccessDenied' });
    await assert.rejects(authenticate(arrivalOf({ headers: noAdmin }), status), replayed);
    await authenticate(arrivalOf({ headers: proofOf('a', { method: 'GET' }) }), status);
  });

  it('who is an agent may show a proof again on the agents’ own routes', async () => {
    const arrival = arrivalOf({ headers: proofOf('node', { method: 'GET' }) });
    for (let time = 1; time <= 2; time++) {
      assert.equal((await proveCaller(arrival, null)).identity.name, 'NodeAgent');
    }
  });

  it('that is an identity may do what is assigned to it', async () => {
    const principal = { kind: 'identity', ...NODE_AGENT } as const;
    const assignment = { id: 'node', roleName: 'HealthReader', scope: '/', principal };
    const shown = () => arrivalOf({ headers: proofOf('node', { method: 'GET' }) });
    await assert.rejects(authenticate(shown(), status), { code: 'AccessDenied' });
    await putAssignment(world.deps, world.run, assignment, null);
    await authenticate(shown(), status);
    await deleteAssignment(world.deps, world.run, 'node', 'any');
    await assert.rejects(authenticate(shown(), status), { code: 'AccessDenied' });
  });

  it('gets no further with parameters that name no scope', async () => {
    const access = { credential: 'operator', action: 'cluster/read', scope: '/clusters/{cluster}' } as const;
    for (const cluster of ['Management', 'a/identities/b', '', '..']) {
      const shown = arrivalOf({ params: { cluster }, headers: headers['s'] ?? {} });
      await assert.rejects(authenticate(shown, access), { code: 'InvalidInput' });
    }
  });
});
