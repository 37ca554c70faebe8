import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { compactVerify } from 'jose';
import { certificateRequest } from '../../../cli/agent/csr.ts';
import { Refused, serverUrl } from '../../../cli/agent/http.ts';
import { KEY_TYPES, newKey } from '../../../cli/agent/keys.ts';
import { requestProof } from '../../../cli/agent/proof.ts';
import { FakeAuthority, readRequest } from '../../support/fake-authority.ts';

const NOW = new Date('2026-11-21T12:00:00.900Z');

describe('the proof of a request', () => {
  for (const type of KEY_TYPES) {
    it(`binds method, address, time and body to the certificate’s key (${type})`, async () => {
      const keyPem = await newKey(type);
      const authority = await FakeAuthority.make(() => NOW);
      const wanted = await readRequest(
        certificateRequest({ name: 'KMS', keyPem, dnsNames: [], renews: null }),
      );
      assert.ok(wanted);
      const dates = { notBefore: NOW, notAfter: new Date('2027-01-01T00:00:00Z') };
      const certificate = await authority.issue(wanted, dates);
      const url = 'https://everleaf.test/api/token/rotate';
      const facts = { keyPem, certificatePem: certificate.toString(), method: 'POST', url, now: NOW };
      const proof = requestProof({ ...facts, body: '{"ü":1}' });
      assert.ok(proof.length < 8192);
      const { payload, protectedHeader } = await compactVerify(proof, certificate.publicKey);
      assert.equal(protectedHeader.alg, type === 'ec-p256' ? 'ES256' : 'RS256');
      const [x5c] = protectedHeader.x5c ?? [];
      assert.ok(new X509Certificate(Buffer.from(x5c ?? '', 'base64')).raw.equals(certificate.raw));
      const { jti, ...claims } = JSON.parse(Buffer.from(payload).toString());
      assert.deepEqual(claims, {
        htm: 'POST',
        htu: url,
        iat: 1_795_262_400,
        body: createHash('sha256').update('{"ü":1}').digest('base64url'),
      });
      const again = await compactVerify(requestProof({ ...facts, body: null }), certificate.publicKey);
      const other = JSON.parse(Buffer.from(again.payload).toString());
      assert.notEqual(other.jti, jti);
      assert.equal(Object.hasOwn(other, 'body'), false);
    });
  }
});

describe('the address of a server', () => {
  it('is https, or on this machine', () => {
    assert.equal(serverUrl('https://everleaf.example/'), 'https://everleaf.example');
    assert.equal(serverUrl('https://everleaf.example:8443/base//'), 'https://everleaf.example:8443/base');
    assert.equal(serverUrl('http://127.0.0.1:7071'), 'http://127.0.0.1:7071');
    for (const url of [
      'http://everleaf.example',
      'http://127.0.0.1.example',
      'ftp://127.0.0.1',
      'everleaf',
    ]) {
      assert.throws(() => serverUrl(url), TypeError, url);
    }
  });
});

describe('a refusal', () => {
  const problem = (status: number, more: object) =>
    new Refused({
      status,
      headers: { 'content-type': 'application/problem+json; charset=utf-8', 'retry-after': '7' },
      text: JSON.stringify({ code: 'Expired', detail: 'Too late.', ...more }),
    });

  it('has the server’s code, sentence, time and Retry-After', () => {
    const refused = problem(401, { serverTime: '2026-11-21T00:00:00Z' });
    assert.equal(refused.message, 'The server answers 401 Expired: Too late.');
    assert.deepEqual(
      [refused.code, refused.isRetryable, refused.retryAfterSeconds, refused.serverTime?.toISOString()],
      ['Expired', false, 7, '2026-11-21T00:00:00.000Z'],
    );
    assert.equal(problem(409, { retryable: true }).isRetryable, true);
    assert.equal(problem(429, {}).isRetryable, true);
  });

  it('of somebody else says nothing about us', () => {
    const headers = { 'content-type': 'text/html', 'retry-after': 'Fri, 31 Dec 1999 23:59:59 GMT' };
    const refused = new Refused({ status: 403, headers, text: '{"code":"Revoked"}' });
    assert.deepEqual([refused.code, refused.isRetryable, refused.retryAfterSeconds], [null, true, null]);
  });
});
