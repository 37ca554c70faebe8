import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { LoginAnswer } from '../support/contract-shapes.ts';
import { LocalEnvironment } from '../support/local-environment.ts';
import { makeStateDirectory, removeStateDirectory } from '../support/local-run.ts';
import { CLIENT_KEYS, OpensslAgent } from './support/openssl-agent.ts';
import { VaultView } from './support/vault-view.ts';

const DAY_MS = 86_400_000;
const BACKDATE_MS = 300_000;
const EC = CLIENT_KEYS['EC P-256'];

let stateDir: string;
let everleaf: LocalEnvironment;
let openssl: OpensslAgent;
/** `GET /api/ca-bundle`. */
let bundle: string;

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

/** Logs in as an identity with the token of its login file; fails when the answer is not 200. */
async function login(name: string, csr?: string): Promise<LoginAnswer> {
  const { token } = everleaf.loginFile(name);
  const answer = await everleaf.login<LoginAnswer>({ token, csr });
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

function extensionValues(certificate: string): Record<string, string> {
  return Object.fromEntries(
    [...openssl.extensions(certificate)].map(([name, { critical, value }]) => [
      // Openssl got the name of RFC 5755's attribute some day; before, it showed the number.
      name.replace('1.3.6.1.5.5.7.10.2', 'id-aca-accessIdentity'),
      `${critical ? 'critical ' : ''}${value.replace(/^keyid:/, '')}`,
    ]),
  );
}

/** The renewal moment as the contract words it, in this test's own arithmetic: whole seconds, all of them. */
function renewAfterOf(issuedAtMs: number, notAfterMs: number, serialNumber: string): string {
  const spread = Number(BigInt(`0x${serialNumber}`) & 0xffff_ffffn) / 2 ** 32;
  const seconds = Math.floor((issuedAtMs + (notAfterMs - issuedAtMs) * (0.4 + 0.1 * spread)) / 1000);
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

describe('an agent with nothing but its login file, openssl and HTTP', () => {
  for (const [kind, genpkey] of Object.entries(CLIENT_KEYS)) {
    it(`gets a certificate for its ${kind} key, which openssl accepts against the published bundle`, async () => {
      const { csr, publicKey } = openssl.keyAndRequest(genpkey);
      const before = await everleaf.now();
      const answer = await login('KMS', csr);
      const after = await everleaf.now();

      openssl.verify(answer.certificate, bundle, { at: after, purpose: 'sslclient' });
      assert.equal(openssl.show(answer.certificate, '-pubkey'), publicKey.trimEnd());
      assert.equal(answer.caBundle, bundle);

      const shown = new X509Certificate(answer.certificate);
      const [notBefore, notAfter] = [Date.parse(shown.validFrom), Date.parse(shown.validTo)];
      const issuedAt = notBefore + BACKDATE_MS;
      assert.ok(before.getTime() <= issuedAt && issuedAt <= after.getTime(), 'backdated by five minutes');
      // notAfter is inclusive (RFC 5280, 4.1.2.5): 90 days, the last second among them.
      assert.equal(notAfter - issuedAt, 90 * DAY_MS - 1000);
      assert.equal(Date.parse(answer.notBefore), notBefore);
      assert.equal(Date.parse(answer.notAfter), notAfter);
      assert.equal(answer.serialNumber, shown.serialNumber.toLowerCase());
      assert.equal(answer.renewAfter, renewAfterOf(issuedAt, notAfter, answer.serialNumber));
      assert.equal(answer.renewCount, 0);
      assert.deepEqual(answer.identity, {
        cluster: 'management',
        name: 'KMS',
        clientType: 'ExternalClient',
      });
    });
  }

  it('gets the extensions of the profile, and no others', async () => {
    const { certificate } = await login('KMS', openssl.keyAndRequest(EC).csr);
    const authority = extensionValues(bundle);
    const { baseUrl } = everleaf.env;
    const { activeId } = (await everleaf.status()).authority;
    const { 'X509v3 Subject Key Identifier': subjectKeyId, ...others } = extensionValues(certificate);
    assert.match(subjectKeyId ?? '', /^([0-9A-F]{2}:){19}[0-9A-F]{2}$/);
    assert.deepEqual(others, {
      'X509v3 Basic Constraints': 'critical CA:FALSE',
      'X509v3 Key Usage': 'critical Digital Signature',
      'X509v3 Extended Key Usage': 'TLS Web Client Authentication',
      'X509v3 Subject Alternative Name': 'URI:spiffe://everleaf.local/cluster/management/client/KMS',
      'X509v3 Authority Key Identifier': authority['X509v3 Subject Key Identifier'],
      'X509v3 CRL Distribution Points': `Full Name:\nURI:${baseUrl}/api/crl/${activeId}`,
      'Authority Information Access': `OCSP - URI:${baseUrl}/api/ocsp\nCA Issuers - URI:${baseUrl}/api/ca/${activeId}`,
      'id-aca-accessIdentity': 'management/KMS',
    });
    assert.equal(openssl.show(certificate, '-subject', '-nameopt', 'RFC2253'), 'subject=CN=KMS,O=management');
    const issuer = openssl.show(certificate, '-issuer').replace('issuer=', '');
    assert.equal(issuer, openssl.show(bundle, '-subject').replace('subject=', ''));
  });

  it('finds an authority in the bundle that may sign certificates and is good for one more level', async () => {
    openssl.verify(bundle, bundle, { at: await everleaf.now() });
    const { 'X509v3 Subject Key Identifier': subjectKeyId, ...others } = extensionValues(bundle);
    assert.match(subjectKeyId ?? '', /^([0-9A-F]{2}:){19}[0-9A-F]{2}$/);
    assert.deepEqual(others, {
      'X509v3 Basic Constraints': 'critical CA:TRUE, pathlen:1',
      'X509v3 Key Usage': 'critical Certificate Sign, CRL Sign',
    });
    const shown = new X509Certificate(bundle);
    assert.equal(Date.parse(shown.validTo) - Date.parse(shown.validFrom) - BACKDATE_MS, 365 * DAY_MS - 1000);
    assert.equal(shown.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    const loginFile = everleaf.loginFile('KMS');
    assert.equal(Buffer.from(loginFile.certificate, 'base64').toString(), bundle);
  });

  it('can serve TLS with the certificate of a node, of which others can only be clients', async () => {
    const at = await everleaf.now();
    for (const [genpkey, keyUsage] of [
      [CLIENT_KEYS['RSA 2048'], 'critical Digital Signature, Key Encipherment'],
      [EC, 'critical Digital Signature'],
    ] as const) {
      const { csr } = openssl.keyAndRequest(genpkey, { name: 'NodeAgent' });
      const { certificate } = await login('NodeAgent', csr);
      openssl.verify(certificate, bundle, { at, purpose: 'sslserver' });
      openssl.verify(certificate, bundle, { at, purpose: 'sslclient' });
      assert.equal(extensionValues(certificate)['X509v3 Key Usage'], keyUsage);
    }
    const { certificate } = await login('KMS', openssl.keyAndRequest(EC).csr);
    assert.throws(() => openssl.verify(certificate, bundle, { at, purpose: 'sslserver' }), /purpose/);
  });

  it('gets the same certificate when it asks again with the same key, and another for another key', async () => {
    const { csr } = openssl.keyAndRequest(EC, { name: 'Mocctl' });
    const first = await login('Mocctl', csr);
    assert.deepEqual(await login('Mocctl', csr), first);
    const other = await login('Mocctl', openssl.keyAndRequest(EC, { name: 'Mocctl' }).csr);
    assert.notEqual(other.serialNumber, first.serialNumber);
    assert.notEqual(other.instance, first.instance, 'another key is another instance');
  });

  it('gets one certificate when it sends the same request five times at once', async () => {
    const { token } = everleaf.loginFile('Mocctl');
    const { csr } = openssl.keyAndRequest(EC, { name: 'Mocctl' });
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => everleaf.login<LoginAnswer>({ token, csr })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    );
    assert.equal(new Set(answers.map(({ json }) => json.certificate)).size, 1);
  });

  it('may send the token in the Authorization header, with Bearer or, like the cloud agent, without', async () => {
    const { token } = everleaf.loginFile('KMS');
    const { csr } = openssl.keyAndRequest(EC);
    const inBody = await everleaf.login<LoginAnswer>({ token, csr });
    for (const authorization of [token, `Bearer ${token}`, `bearer ${token}`]) {
      const answer = await everleaf.login<LoginAnswer>({ csr }, { authorization });
      assert.equal(answer.status, 200, answer.text);
      assert.deepEqual(answer.json, inBody.json);
    }
  });

  it('may ask without a subject, and is told which names it asked for in vain', async () => {
    const args = ['-subj', '/', '-addext', 'subjectAltName=DNS:kms.example,IP:192.0.2.1'];
    const { csr } = openssl.keyAndRequest(EC, { args });
    const { certificate, warnings } = await login('KMS', csr);
    assert.match(openssl.show(certificate, '-subject'), /CN ?= ?KMS$/);
    assert.deepEqual(warnings.map((text) => /"([^"]+)"/.exec(text)?.[1]).sort(), [
      '192.0.2.1',
      'kms.example',
    ]);
    assert.doesNotMatch(openssl.show(certificate, '-text'), /kms\.example|192\.0\.2\.1/);
  });
});

describe('a client whose credentials lie in the vault', () => {
  it('is told where, when it logs in without a request, and finds key and certificate there', async () => {
    const answer = await login('KMS');
    const vault = new VaultView(everleaf.env.endpoints.clientVault, everleaf.personToken);
    const [version, ...others] = await vault.certificateVersions('client--management--kms');
    assert.ok(version);
    assert.deepEqual(others, []);
    const path = `client--management--kms/${version.version}`;
    assert.deepEqual(answer.vault, {
      certificateId: `${everleaf.env.endpoints.clientVault}/certificates/${path}`,
      secretId: `${everleaf.env.endpoints.clientVault}/secrets/${path}`,
    });
    assert.equal(new X509Certificate(answer.certificate).fingerprint256, version.certificate.fingerprint256);
    openssl.verify(version.certificate.toString(), bundle, {
      at: await everleaf.now(),
      purpose: 'sslclient',
    });
    assert.equal(openssl.show(answer.certificate, '-pubkey'), version.keyOfSecret.trimEnd());
  });

  it('finds the bundle in the vault as well', async () => {
    const vault = new VaultView(everleaf.env.endpoints.clientVault, everleaf.personToken);
    assert.equal((await vault.currentSecret('ca-bundle')).value, bundle);
  });
});

describe('the first start', () => {
  it('leaves a login file for every client, readable by nobody else', () => {
    const folder = join(everleaf.env.files.loginDir, 'management');
    const files = readdirSync(folder).sort();
    assert.deepEqual(files, [
      'CAPH.yaml',
      'CSI.yaml',
      'CertManager.yaml',
      'CloudAgent.yaml',
      'CloudOperator.yaml',
      'CloudProvider.yaml',
      'KMS.yaml',
      'KVA.yaml',
      'Mocctl.yaml',
      'NodeAgent.yaml',
    ]);
    for (const file of files) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  });
});
