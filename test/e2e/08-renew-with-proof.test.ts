import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { LoginAnswer, Problem } from '../support/contract-shapes.ts';
import { type ApiAnswer, LocalEnvironment } from '../support/local-environment.ts';
import { makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';
import { makeProof, type ProofParts } from '../support/proofs.ts';
import { renewalRequest } from '../support/renewal-requests.ts';
import { type KeyPair, newKeyPair } from '../unit/pki/support/keys.ts';
import { pemRequest, requestDer } from '../unit/pki/support/requests.ts';
import { name, utf8 } from '../unit/pki/support/tlv.ts';
import { OpensslAgent } from './support/openssl-agent.ts';
import { problem } from './support/problem.ts';

const RENEW = '/api/certificates/renew';
const ACKNOWLEDGE = '/api/bundle/acknowledge';
const NODE_AGENT = { cluster: 'management', name: 'NodeAgent' };

/** What the agent has on its disk. */
interface Held {
  readonly answer: LoginAnswer;
  readonly key: KeyPair;
}

let stateDir: string;
let everleaf: LocalEnvironment;
let openssl: OpensslAgent;
let bundle: string;
let first: Held;
let second: Held;

before(async () => {
  stateDir = makeStateDirectory();
  openssl = new OpensslAgent();
  everleaf = await LocalEnvironment.start(stateDir);
  bundle = (await everleaf.api('/api/ca-bundle')).text;
});
after(async () => {
  await everleaf?.stop();
  await removeStateDirectory(stateDir);
  openssl.remove();
});

const derOf = ({ answer }: Held) => Uint8Array.from(new X509Certificate(answer.certificate).raw);
const csrFor = (key: KeyPair) =>
  pemRequest(requestDer({ key, subject: name(['2.5.4.3', utf8(NODE_AGENT.name)]) }));

async function post<T = Problem>(
  path: string,
  content: unknown,
  held: Held,
  parts: Partial<ProofParts> = {},
): Promise<ApiAnswer<T>> {
  const body = JSON.stringify(content);
  const { baseUrl } = everleaf.env;
  const now = await everleaf.now();
  const proof = makeProof({ certificate: derOf(held), key: held.key, path, body, now, baseUrl, ...parts });
  return everleaf.api<T>(path, { method: 'POST', body, headers: { 'x-everleaf-proof': proof } });
}

describe('an agent that renews its certificate by itself', () => {
  it('logs in once with its token', async () => {
    const key = newKeyPair('RSA-2048');
    const { token } = everleaf.loginFile(NODE_AGENT.name);
    const answer = await everleaf.login<LoginAnswer>({ token, csr: csrFor(key) });
    assert.equal(answer.status, 200, answer.text);
    first = { answer: answer.json, key };
  });

  it('renews with a signed request, and says along with it which bundle it holds', async () => {
    await everleaf.advance('P44D', { settle: true });
    const key = newKeyPair('P-256');
    const content = { csr: csrFor(key), bundleId: first.answer.bundleId };
    const answer = await post<LoginAnswer>(RENEW, content, first);
    assert.equal(answer.status, 200, answer.text);
    second = { answer: answer.json, key };
    assert.equal(second.answer.renewCount, 1);
    assert.equal(second.answer.instance, first.answer.instance);
    openssl.verify(second.answer.certificate, bundle, { at: await everleaf.now(), purpose: 'sslserver' });
    const again = await post<LoginAnswer>(RENEW, content, first);
    assert.equal(again.json.certificate, second.answer.certificate);
  });

  it('tells which bundle it holds, which makes the new certificate the one in force', async () => {
    const { bundleId } = second.answer;
    const answer = await post<unknown>(ACKNOWLEDGE, { bundleId }, second);
    assert.deepEqual([answer.status, answer.json], [200, { bundleId, current: true }]);
    const other = await post<unknown>(ACKNOWLEDGE, { bundleId: '0'.repeat(64) }, second);
    assert.deepEqual(other.json, { bundleId: '0'.repeat(64), current: false });
    const { identities } = await everleaf.status();
    const status = identities.find(({ name: found }) => found === NODE_AGENT.name);
    assert.equal(status?.certificate?.serialNumber, second.answer.serialNumber);
    assert.equal(status?.state, 'Healthy');
    const old = problem(await post(ACKNOWLEDGE, { bundleId }, first), 401, 'Expired');
    assert.equal(old.mocCode, 29);
    for (const wrong of [bundleId.toUpperCase(), bundleId.slice(1), 7, undefined]) {
      problem(await post(ACKNOWLEDGE, { bundleId: wrong }, second), 400, 'InvalidInput');
    }
  });

  it('renews as the cloud agent’s clients do, with the proof inside the request', async () => {
    await everleaf.advance('P44D', { settle: true });
    const newKey = newKeyPair('P-256');
    const now = await everleaf.now();
    const parts = { identity: NODE_AGENT, certificate: derOf(second), key: second.key, newKey, now };
    const answer = await everleaf.api<LoginAnswer>(RENEW, {
      method: 'POST',
      body: { csr: renewalRequest(parts) },
    });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.renewCount, 2);
    openssl.verify(answer.json.certificate, bundle, { at: now });
    const raw = new X509Certificate(answer.json.certificate).raw;
    assert.ok(
      raw.includes(new X509Certificate(first.answer.certificate).raw),
      'the first of the line is in it',
    );
  });
});

describe('a proof that is not right', () => {
  const ask = (parts: Partial<ProofParts>) => post(ACKNOWLEDGE, { bundleId: '0'.repeat(64) }, second, parts);

  it('is missed where there is none', async () => {
    const body = { csr: csrFor(second.key), bundleId: second.answer.bundleId };
    for (const path of [RENEW, ACKNOWLEDGE]) {
      const answer = await everleaf.api(path, { method: 'POST', body });
      assert.equal(problem(answer, 401, 'NoAuthenticationInformation').mocCode, 43);
    }
  });

  it('is refused, and a stale one is told the time', async () => {
    const hour = new Date((await everleaf.now()).getTime() - 3_600_000);
    const stale = problem(await ask({ now: hour }), 401, 'InvalidProof');
    assert.equal(stale.mocCode, 33);
    const off = Math.abs(Date.parse(stale.serverTime ?? '') - (await everleaf.now()).getTime());
    assert.ok(off < 3_000_000, `serverTime is ${off} ms off`);
    for (const parts of [
      { key: newKeyPair('P-256') },
      { path: RENEW },
      { method: 'PUT' },
      { body: '{}' },
      { baseUrl: 'https://other.test' },
    ]) {
      const refused = problem(await ask(parts), 401, 'InvalidProof');
      assert.equal(refused.serverTime, undefined);
    }
  });

  it('locks the instance when a replaced certificate asks for a new key', async () => {
    const thief = newKeyPair('P-256');
    const locked = problem(await post(RENEW, { csr: csrFor(thief) }, first), 403, 'Locked');
    assert.equal(locked.mocCode, 40);
    problem(await ask({}), 403, 'Locked');
  });
});
