import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { parseCertificate, verifySignedBy } from '../../../shared/pki/certificate.ts';
import { buildLeafTbs } from '../../../shared/pki/leaf-certificate.ts';
import { lintLeaf } from '../../../shared/pki/lint-leaf.ts';
import { encodePem } from '../../../shared/pki/pem.ts';
import { subjectKeyIdentifier } from '../../../shared/pki/public-key.ts';
import { DURING, leafInput, makeAuthority } from './support/authority.ts';
import { refusal } from './support/errors.ts';
import { KEY_KINDS, keyPair } from './support/keys.ts';
import { openOpensslDirectory } from './support/openssl.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

const NINETY_DAYS_AND_BACKDATE = 90 * 86_400 + 300;
const authority = makeAuthority();
const authorityPem = openssl.write('authority.pem', encodePem('CERTIFICATE', authority.certificate.der));

function issue(...input: Parameters<typeof leafInput>): Uint8Array {
  const [by] = input;
  const leaf = leafInput(...input);
  const tbs = buildLeafTbs(leaf);
  lintLeaf(tbs, leaf, { authority: by.certificate, maximumValiditySeconds: NINETY_DAYS_AND_BACKDATE });
  return by.issue(tbs);
}

/** Whether openssl takes the certificate for that purpose, under its strictest rules. */
function verify(der: Uint8Array, purpose: 'sslclient' | 'sslserver', root = authorityPem): string {
  const leaf = openssl.write('leaf.pem', encodePem('CERTIFICATE', der));
  const { output } = openssl.attempt(
    'verify',
    '-x509_strict',
    '-purpose',
    purpose,
    '-attime',
    DURING,
    '-CAfile',
    root,
    leaf,
  );
  return output.trim().split('\n').at(-1) ?? '';
}

const textOf = (der: Uint8Array) =>
  openssl.run('x509', '-noout', '-text', '-in', openssl.write('leaf.pem', encodePem('CERTIFICATE', der)));

describe('a leaf certificate', () => {
  for (const kind of KEY_KINDS) {
    it(`is accepted by openssl and node:crypto for a client key ${kind}`, () => {
      const der = issue(authority, keyPair(kind));
      assert.match(verify(der, 'sslclient'), /: OK$/);
      assert.doesNotMatch(verify(der, 'sslserver'), /: OK$/);
      const certificate = new X509Certificate(der);
      assert.ok(certificate.verify(new X509Certificate(authority.certificate.der).publicKey));
      assert.ok(certificate.checkIssued(new X509Certificate(authority.certificate.der)));
      assert.ok(certificate.checkPrivateKey(keyPair(kind).privateKey));
      assert.equal(certificate.ca, false);
    });
  }

  for (const kind of KEY_KINDS) {
    it(`is accepted when an authority with the key ${kind} signs it`, () => {
      const signer = makeAuthority(kind);
      const root = openssl.write(`${kind}.pem`, encodePem('CERTIFICATE', signer.certificate.der));
      const der = issue(signer, keyPair('P-384'));
      assert.match(verify(der, 'sslclient', root), /: OK$/);
      assert.equal(verifySignedBy(parseCertificate(der), signer.certificate.spki), true);
    });
  }

  it('is what the profile says, in the words of openssl', () => {
    const text = textOf(issue(authority, keyPair('P-256')));
    const expected = [
      /Version: 3 /,
      /Serial Number:\s+0a:3c:3c/,
      /Signature Algorithm: ecdsa-with-SHA256/,
      /Issuer: CN = Everleaf authority 1\n/,
      /Not Before: Apr 30 23:55:00 2026 GMT\s+Not After : Jul 29 23:59:59 2026 GMT/,
      /Subject: O = management, CN = KMS\n/,
      /Basic Constraints: critical\s+CA:FALSE\n/,
      /Key Usage: critical\s+Digital Signature\n/,
      /Extended Key Usage: \s+TLS Web Client Authentication\n/,
      /Subject Alternative Name: \s+URI:spiffe:\/\/everleaf\.local\/cluster\/management\/client\/KMS\n/,
      /id-aca-accessIdentity: \s+management\/KMS\n/,
    ];
    for (const pattern of expected) assert.match(text, pattern);
    assert.doesNotMatch(text, /CRL Distribution|Authority Information/);
  });

  it('has the extensions of the profile in their order, the first two of them critical', () => {
    const { extensions } = parseCertificate(issue(authority, keyPair('P-256')));
    const list = [...extensions.values()].map(({ oid, critical }) => `${oid}${critical ? '!' : ''}`);
    assert.deepEqual(list, [
      '2.5.29.19!',
      '2.5.29.15!',
      '2.5.29.37',
      '2.5.29.17',
      '2.5.29.14',
      '2.5.29.35',
      '1.3.6.1.5.5.7.10.2',
    ]);
  });

  it('carries the access identity as raw bytes without DER around them', () => {
    const { extensions } = parseCertificate(issue(authority, keyPair('P-256')));
    assert.equal(Buffer.from(extensions.get('1.3.6.1.5.5.7.10.2')?.value ?? []).toString(), 'management/KMS');
  });

  it('carries the key byte for byte, and both key identifiers', () => {
    const { spki } = keyPair('RSA-2048');
    const certificate = parseCertificate(issue(authority, keyPair('RSA-2048')));
    assert.deepEqual(certificate.spki, spki);
    assert.deepEqual(certificate.subjectKeyId, subjectKeyIdentifier(spki));
    assert.deepEqual(certificate.authorityKeyId, authority.certificate.subjectKeyId);
    assert.deepEqual(certificate.issuerDer, authority.certificate.subjectDer);
  });

  it('serves TLS as well when the client is a server, with key encipherment for RSA only', () => {
    const rsa = issue(authority, keyPair('RSA-2048'), { server: true });
    const ec = issue(authority, keyPair('P-256'), { server: true });
    for (const der of [rsa, ec]) {
      assert.match(verify(der, 'sslclient'), /: OK$/);
      assert.match(verify(der, 'sslserver'), /: OK$/);
    }
    assert.match(textOf(rsa), /Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
    assert.match(textOf(ec), /Key Usage: critical\s+Digital Signature\n/);
    assert.match(textOf(ec), /TLS Web Client Authentication, TLS Web Server Authentication/);
    assert.doesNotMatch(textOf(issue(authority, keyPair('RSA-2048'))), /Key Encipherment/);
  });

  it('carries the names that the identity allows', () => {
    const names = { dns: ['node-1.example', 'localhost'], ipAddresses: ['127.0.0.1', '::1'] };
    const der = issue(authority, keyPair('P-256'), { server: true, names });
    const certificate = new X509Certificate(der);
    assert.equal(certificate.checkHost('node-1.example'), 'node-1.example');
    assert.equal(certificate.checkIP('127.0.0.1'), '127.0.0.1');
    assert.match(
      textOf(der),
      /DNS:node-1\.example, DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1/,
    );
  });

  it('says where revocation and issuer are found once there is something to find', () => {
    const der = issue(authority, keyPair('P-256'), {
      crlUrl: 'http://everleaf.example/api/crl/1',
      authorityInfo: {
        ocsp: 'http://everleaf.example/api/ocsp',
        caIssuers: 'http://everleaf.example/api/authorities/1.cer',
      },
    });
    const text = textOf(der);
    assert.match(
      text,
      /CRL Distribution Points: \s+Full Name:\s+URI:http:\/\/everleaf\.example\/api\/crl\/1\n/,
    );
    assert.match(text, /OCSP - URI:http:\/\/everleaf\.example\/api\/ocsp\n/);
    assert.match(text, /CA Issuers - URI:http:\/\/everleaf\.example\/api\/authorities\/1\.cer\n/);
    assert.match(verify(der, 'sslclient'), /: OK$/);
    const onlyOcsp = issue(authority, keyPair('P-256'), {
      authorityInfo: { ocsp: 'http://everleaf.example/api/ocsp' },
    });
    assert.doesNotMatch(textOf(onlyOcsp), /CA Issuers/);
    const onlyIssuers = issue(authority, keyPair('P-256'), {
      authorityInfo: { caIssuers: 'http://everleaf.example/ca' },
    });
    assert.doesNotMatch(textOf(onlyIssuers), /OCSP/);
  });

  it('carries what a renewal adds', () => {
    const renewCount = { oid: '1.3.6.1.4.1.311.104.1.3', critical: false, value: Uint8Array.of(2, 1, 1) };
    const { extensions } = parseCertificate(
      issue(authority, keyPair('P-256'), { extraExtensions: [renewCount] }),
    );
    assert.deepEqual(extensions.get(renewCount.oid), renewCount);
  });

  it('has a positive serial number, whatever the first bit of the random number is', () => {
    for (const serialNumber of ['ff'.repeat(16), `7f${'00'.repeat(15)}`]) {
      const certificate = parseCertificate(issue(authority, keyPair('P-256'), { serialNumber }));
      assert.equal(certificate.serialNumber, serialNumber);
      assert.equal(new X509Certificate(certificate.der).serialNumber, serialNumber.toUpperCase());
    }
  });

  it('is valid until notAfter and not after it', () => {
    const leaf = openssl.write('leaf.pem', encodePem('CERTIFICATE', issue(authority, keyPair('P-256'))));
    const end = Date.UTC(2026, 6, 29, 23, 59, 59) / 1000;
    const at = (seconds: number) =>
      openssl.attempt('verify', '-attime', String(seconds), '-CAfile', authorityPem, leaf);
    // By RFC 5280 the second of notAfter counts in; openssl alone leaves it out (X509_cmp_time), so it is not asked.
    assert.equal(at(end - 1).succeeded, true);
    assert.equal(at(end + 1).succeeded, false);
  });

  it('is not built from a serial number that is not hex, nor from a broken key', () => {
    refusal('Internal', null, () =>
      buildLeafTbs(leafInput(authority, keyPair('P-256'), { serialNumber: '0xFF' })),
    );
    refusal('Internal', null, () =>
      buildLeafTbs(leafInput(authority, keyPair('P-256'), { serialNumber: '' })),
    );
    refusal('InvalidInput', null, () =>
      buildLeafTbs(leafInput(authority, { ...keyPair('P-256'), spki: Uint8Array.of(5, 0) })),
    );
  });
});
