import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { LoginAnswer } from '../support/contract-shapes.ts';
import { LocalEnvironment } from '../support/local-environment.ts';
import { LocalRun, makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';
import { CLIENT_KEYS, OpensslAgent } from './support/openssl-agent.ts';
import { inventToken } from './support/tokens.ts';

const DAY_MS = 86_400_000;

/** The first with its own policy, the second with every default. */
const SETTINGS = [
  { AUTHORITY_KEY_TYPE: 'RSA-2048', CERTIFICATE_VALIDITY_DAYS: '30', TRUST_DOMAIN: 'first.example' },
  {},
];

let openssl: OpensslAgent;
let stateDirs: string[];
let environments: LocalEnvironment[];

before(async () => {
  openssl = new OpensslAgent();
  stateDirs = [makeStateDirectory(), makeStateDirectory()];
  // At once: both find the same checkout to build, and each its own ports.
  environments = await Promise.all(
    stateDirs.map((stateDir, index) => LocalEnvironment.start(stateDir, SETTINGS[index])),
  );
});
after(async () => {
  await Promise.all((environments ?? []).map((environment) => environment.stop()));
  await Promise.all(stateDirs.map(removeStateDirectory));
  openssl.remove();
});

function both(): [LocalEnvironment, LocalEnvironment] {
  const [one, other] = environments;
  assert.ok(one && other);
  return [one, other];
}

describe('two environments from one checkout', () => {
  it('share no port and no secret', () => {
    const [one, other] = both();
    const places = environments.flatMap(({ env }) => [env.baseUrl, ...Object.values(env.endpoints)]);
    const ports = new Set(places.map((url) => new URL(url).port));
    assert.equal(ports.size, 14);
    for (const field of ['masterKey', 'storageConnectionString'] as const) {
      assert.notEqual(one.env[field], other.env[field]);
    }
  });

  it('have an authority each, which says nothing in the other', async () => {
    const [one, other] = both();
    const { token } = one.loginFile('KMS');
    const { csr } = openssl.keyAndRequest(CLIENT_KEYS['EC P-256']);
    const { certificate, caBundle } = (await one.login<LoginAnswer>({ token, csr })).json;
    const foreign = (await other.api('/api/ca-bundle')).text;
    const at = await one.now();
    openssl.verify(certificate, caBundle, { at });
    assert.throws(() => openssl.verify(certificate, foreign, { at }), /unable to get local issuer/);
  });

  it('follow their own settings', async () => {
    const [one] = both();
    const { token } = one.loginFile('KMS');
    const at = await one.now();
    for (const genpkey of [CLIENT_KEYS['EC P-384'], CLIENT_KEYS['RSA 2048']]) {
      const { csr } = openssl.keyAndRequest(genpkey);
      const answer = (await one.login<LoginAnswer>({ token, csr })).json;
      openssl.verify(answer.certificate, answer.caBundle, { at, purpose: 'sslclient' });
      const text = openssl.show(answer.certificate, '-text');
      assert.match(text, /Signature Algorithm: sha256WithRSAEncryption/);
      assert.match(text, /URI:spiffe:\/\/first\.example\/cluster\/management\/client\/KMS/);
      const lifeMs = Date.parse(answer.notAfter) - Date.parse(answer.notBefore);
      assert.equal(lifeMs, 30 * DAY_MS - 1000 + 300_000);
    }
    assert.match(openssl.show((await one.api('/api/ca-bundle')).text, '-text'), /Public-Key: \(2048 bit\)/);
  });

  it("refuse each other's tokens as they refuse any wrong one", async () => {
    const [one, other] = both();
    const { csr } = openssl.keyAndRequest(CLIENT_KEYS['EC P-256']);
    const headers = { 'x-correlation-id': 'side-by-side' };
    const foreign = await other.login({ token: one.loginFile('KMS').token, csr }, headers);
    const invented = await other.login({ token: inventToken(), csr }, headers);
    assert.equal(foreign.status, 401);
    assert.equal(foreign.json.code, 'InvalidToken');
    assert.equal(foreign.text, invented.text);
    const status = await other.api('/api/status', { token: one.operatorToken });
    assert.deepEqual([status.status, status.json.code], [401, 'InvalidToken']);
  });

  it('have a time each', async () => {
    const [one, other] = both();
    const before = await other.now();
    const later = await one.advance('P10D', { settle: true });
    assert.ok(later.getTime() - before.getTime() >= 10 * DAY_MS);
    assert.equal(other.env.clock.offsetSeconds, 0);
    assert.ok((await other.now()) < later);
  });
});

describe('a second start on the same state directory', () => {
  it('waits, says for whom, and goes on when the first has stopped', async () => {
    const [one] = both();
    const second = new LocalRun(one.run.stateDir, SETTINGS[0]);
    const waiting = await second.line(/^Waiting for the run before this one to end/);
    for (const { role, pid } of one.env.processes) {
      assert.ok(waiting.includes(`${role} (pid ${pid})`), waiting);
    }
    assert.equal((await one.api('/api/health')).status, 200, 'the first one works on undisturbed');
    const now = await one.now();
    assert.equal(await one.stop(), 0);
    const next = await LocalEnvironment.ready(second);
    environments[0] = next;
    assert.equal(next.env.baseUrl, one.env.baseUrl);
    assert.ok((await next.now()) >= now);
    assert.equal((await next.api('/api/health')).status, 200);
  });

  it('gives up in good order when it is told to while it waits', async () => {
    const [, other] = both();
    const second = new LocalRun(other.run.stateDir);
    await second.line(/^Waiting for the run before this one to end/);
    assert.equal(await second.stop(), 0);
    assert.ok(existsSync(join(other.run.stateDir, 'environment.json')), 'it is not its to remove');
    assert.equal((await other.api('/api/health')).status, 200);
  });
});

describe('a stop', () => {
  it('in good order leaves nothing listening and no environment.json', async () => {
    const [, other] = both();
    assert.equal(await other.stop(), 0);
    assert.equal(existsSync(join(other.run.stateDir, 'environment.json')), false);
    for (const url of [other.env.baseUrl, ...Object.values(other.env.endpoints)]) {
      await assert.rejects(fetch(url), TypeError, url);
    }
  });
});
