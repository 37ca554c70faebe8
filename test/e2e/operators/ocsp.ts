import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { LocalEnvironment } from '../../support/local-environment.ts';
import { type OpensslDirectory, openOpensslDirectory } from '../../unit/pki/support/openssl.ts';
import { OpensslAgent } from '../support/openssl-agent.ts';

const OCSP_TYPE = 'application/ocsp-response';
// The environment's time runs ahead of openssl's: what came before has moved it on by minutes.
const AHEAD = ['-validity_period', '86400'];
const ISSUERS = ['-issuer', 'ca.pem', '-CAfile', 'ca.pem', ...AHEAD];

let everleaf: LocalEnvironment;

/** What verifiers make of the OCSP responder: `openssl ocsp` by POST, and GET as browsers and proxies do it. */
export function ocsp(environment: () => LocalEnvironment): void {
  describe('the OCSP responder', () => {
    let openssl: OpensslDirectory;
    let serialNumber: string;
    let url: string;

    before(async () => {
      everleaf = environment();
      url = `${everleaf.env.baseUrl}/api/ocsp`;
      openssl = openOpensslDirectory();
      const agent = new OpensslAgent();
      const { csr } = agent.keyAndRequest(['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256'], {
        name: 'NodeAgent',
      });
      agent.remove();
      const { token } = everleaf.loginFile('NodeAgent');
      const login = await everleaf.login<{ certificate: string; serialNumber: string }>({ token, csr });
      assert.equal(login.status, 200, login.text);
      serialNumber = login.json.serialNumber;
      openssl.write('leaf.pem', login.json.certificate);
      openssl.write('ca.pem', (await everleaf.api('/api/ca-bundle')).text);
    });
    after(() => openssl?.remove());

    const ask = (...args: string[]) => openssl.attempt('ocsp', ...ISSUERS, '-url', url, ...args);

    async function get(path: string, headers: Record<string, string> = {}): Promise<Response> {
      return fetch(`${url}/${path}`, { headers });
    }

    function request(): string {
      openssl.run('ocsp', '-issuer', 'ca.pem', '-cert', 'leaf.pem', '-no_nonce', '-reqout', 'request.der');
      return openssl.run('base64', '-A', '-in', 'request.der').trim();
    }

    it('satisfies openssl ocsp by POST, with a nonce and without, by SHA-1 and SHA-256', () => {
      for (const args of [['-nonce'], ['-no_nonce'], ['-sha256', '-nonce']]) {
        const sha256 = args.filter((arg) => arg === '-sha256');
        const nonce = args.filter((arg) => arg !== '-sha256');
        const { succeeded, output } = ask(...sha256, '-cert', 'leaf.pem', ...nonce);
        assert.ok(succeeded, output);
        assert.match(output, /Response verify OK/);
        assert.match(output, /leaf\.pem: good/);
        assert.doesNotMatch(output, /no nonce in response/);
      }
    });

    it('does not know what was never issued', () => {
      const { output } = ask('-serial', '0x5a00112233445566778899aabbccddee', '-nonce');
      assert.match(output, /Response verify OK/);
      assert.match(output, /5a00112233445566778899aabbccddee: unknown/i);
    });

    it('answers a GET, escaped or not, with the same bytes for everybody, and 304 to whoever has them', async () => {
      const base64 = request();
      const first = await get(encodeURIComponent(base64));
      assert.equal(first.status, 200);
      assert.equal(first.headers.get('content-type'), OCSP_TYPE);
      assert.match(
        first.headers.get('cache-control') ?? '',
        /^max-age=\d+, public, no-transform, must-reval/,
      );
      const bytes = new Uint8Array(await first.arrayBuffer());
      const again = await get(base64.replaceAll('=', '%3D'));
      assert.deepEqual(new Uint8Array(await again.arrayBuffer()), bytes);
      const etag = first.headers.get('etag') ?? '';
      assert.equal((await get(encodeURIComponent(base64), { 'if-none-match': etag })).status, 304);
      openssl.write('answer.der', bytes);
      const files = ['-respin', 'answer.der', '-reqin', 'request.der', '-no_nonce'];
      const { output } = openssl.attempt('ocsp', ...ISSUERS, '-cert', 'leaf.pem', ...files);
      assert.match(output, /Response verify OK/);
      assert.match(output, /leaf\.pem: good/);
    });

    it('says in OCSP’s own words that a request is none', async () => {
      const answer = await get('MAA%3D');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('cache-control'), 'no-store');
      assert.deepEqual([...new Uint8Array(await answer.arrayBuffer())], [0x30, 3, 0x0a, 1, 1]);
    });

    it('tells of a revocation at once, although it has said good before', async () => {
      const revoked = await everleaf.api('/api/clusters/management/identities/NodeAgent/revoke', {
        method: 'POST',
        token: everleaf.operatorToken,
        body: { serialNumber, reason: 'superseded' },
      });
      assert.equal(revoked.status, 200, revoked.text);
      for (const nonce of ['-nonce', '-no_nonce']) {
        const { output } = ask('-cert', 'leaf.pem', nonce);
        assert.match(output, /Response verify OK/);
        assert.match(output, /leaf\.pem: revoked[\s\S]*Reason: superseded/);
      }
      const answer = await get(encodeURIComponent(request()));
      openssl.write('answer.der', new Uint8Array(await answer.arrayBuffer()));
      const { output } = openssl.attempt('ocsp', ...ISSUERS, '-cert', 'leaf.pem', '-respin', 'answer.der');
      assert.match(output, /leaf\.pem: revoked/);
    });
  });
}
