import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LocalEnvironment } from '../../support/local-environment.ts';
import { keyPair } from '../../unit/pki/support/keys.ts';
import { type OpensslDirectory, openOpensslDirectory } from '../../unit/pki/support/openssl.ts';
import { pemRequest, requestDer } from '../../unit/pki/support/requests.ts';
import { name as distinguishedName, utf8 } from '../../unit/pki/support/tlv.ts';
import { problem } from '../support/problem.ts';

/**
 * A verifier that knows openssl and the addresses in a certificate, and nothing else.
 * @param environment one that is ready when the tests run
 */
export function revocationLists(environment: () => LocalEnvironment): void {
  describe('revocation lists over HTTP', () => {
    let everleaf: LocalEnvironment;
    let openssl: OpensslDirectory;

    before(() => {
      everleaf = environment();
      openssl = openOpensslDirectory();
    });
    after(() => openssl.remove());

    async function download(url: string, headers: Record<string, string> = {}) {
      const answer = await fetch(url, { headers });
      return { answer, bytes: Buffer.from(await answer.arrayBuffer()) };
    }

    it('openssl accepts a certificate by the list that it names, and refuses it once it is revoked', async () => {
      const path = '/api/clusters/management/identities';
      const token = everleaf.operatorToken;
      const body = { name: 'crl-node', clientType: 'Node' };
      const added = await everleaf.api<{ loginFile: { token: string } }>(path, {
        method: 'POST',
        token,
        body,
      });
      assert.equal(added.status, 201, added.text);
      const subject = distinguishedName(['2.5.4.3', utf8('crl-node')]);
      const csr = pemRequest(requestDer({ key: keyPair('P-256', 'crl-node'), subject }));
      const login = await everleaf.login<{ certificate: string; serialNumber: string }>({
        token: added.json.loginFile.token,
        csr,
      });
      assert.equal(login.status, 200, login.text);
      await everleaf.settle();

      const certificate = openssl.write('leaf.pem', login.json.certificate);
      const text = openssl.run('x509', '-in', certificate, '-noout', '-text');
      const crlUrl = /URI:(http\S+\/api\/crl\/\S+)/.exec(text)?.[1] ?? '';
      const issuerUrl = /CA Issuers - URI:(http\S+)/.exec(text)?.[1] ?? '';
      const issuer = await download(issuerUrl);
      assert.equal(issuer.answer.headers.get('content-type'), 'application/pkix-cert');
      const der = openssl.write('ca.der', issuer.bytes);
      const ca = openssl.path('ca.pem');
      openssl.run('x509', '-inform', 'DER', '-in', der, '-out', ca);

      const verify = async (crl: Buffer) => {
        const list = openssl.path('list.pem');
        openssl.run('crl', '-inform', 'DER', '-in', openssl.write('list.der', crl), '-out', list);
        const at = String(Math.floor((await everleaf.now()).getTime() / 1000));
        const files = ['-CAfile', ca, '-CRLfile', list, certificate];
        return openssl.attempt('verify', '-x509_strict', '-crl_check', '-attime', at, ...files);
      };
      const before = await download(crlUrl);
      assert.equal(before.answer.headers.get('content-type'), 'application/pkix-crl');
      assert.equal(before.answer.headers.get('cache-control'), 'public, max-age=3600');
      const good = await verify(before.bytes);
      assert.ok(good.succeeded, good.output);
      const etag = before.answer.headers.get('etag') ?? '';
      const again = await download(crlUrl, { 'if-none-match': etag });
      assert.deepEqual([again.answer.status, again.bytes.length], [304, 0]);

      const { serialNumber } = login.json;
      const invalidityDate = '2026-01-01T00:00:00Z';
      const why = { serialNumber, reason: 'keyCompromise', invalidityDate };
      const revoked = await everleaf.api(`${path}/crl-node/revoke`, { method: 'POST', token, body: why });
      assert.equal(revoked.status, 200, revoked.text);
      await everleaf.settle();
      const afterwards = await download(crlUrl, { 'if-none-match': etag });
      assert.equal(afterwards.answer.status, 200);
      const refused = await verify(afterwards.bytes);
      assert.match(refused.output, /certificate revoked/);
      const shown = openssl.run('crl', '-inform', 'DER', '-in', openssl.path('list.der'), '-noout', '-text');
      assert.match(shown, /Key Compromise[\s\S]*Invalidity Date[\s\S]*Jan {2}1 00:00:00 2026/);
    });

    it('an authority that nobody knows has neither list nor certificate', async () => {
      for (const path of ['/api/crl/00000000', '/api/ca/00000000']) {
        problem(await everleaf.api(path), 404, 'NotFound');
      }
    });
  });
}
