import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { type AuthorityInput, buildAuthorityTbs } from '../../../shared/pki/authority-certificate.ts';
import { parseCertificate, verifySignedBy } from '../../../shared/pki/certificate.ts';
import { buildLeafTbs } from '../../../shared/pki/leaf-certificate.ts';
import { lintAuthority } from '../../../shared/pki/lint-authority.ts';
import { encodePem } from '../../../shared/pki/pem.ts';
import { authorityInput, DURING, leafInput, makeAuthority, type TestAuthority } from './support/authority.ts';
import { KEY_KINDS, keyPair, newKeyPair } from './support/keys.ts';
import { openOpensslDirectory } from './support/openssl.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

const YEAR = 365 * 86_400;
const pemFile = (file: string, der: Uint8Array) => openssl.write(file, encodePem('CERTIFICATE', der));

/** What a cross certificate for `next`, signed by `old`, would be made from. */
function crossInput(old: TestAuthority, next: TestAuthority, pathLength = 0): AuthorityInput {
  const { subjectDer, subjectKeyId } = old.certificate;
  return {
    ...authorityInput(next.key),
    serialNumber: `11${'2b'.repeat(15)}`,
    subjectDer: next.certificate.subjectDer,
    pathLength,
    issuer: { subjectDer, subjectKeyId: subjectKeyId ?? new Uint8Array() },
    crlUrl: 'http://everleaf.example/api/crl/1',
    signatureAlgorithm: old.signatureAlgorithm,
  };
}

describe('an authority certificate', () => {
  for (const kind of KEY_KINDS) {
    it(`is accepted by openssl and node:crypto with the key ${kind}`, () => {
      const authority = makeAuthority(kind);
      lintAuthority(authority.certificate.tbs, authorityInput(authority.key), {
        maximumValiditySeconds: YEAR,
      });
      const file = pemFile('authority.pem', authority.certificate.der);
      assert.match(
        openssl.run('verify', '-x509_strict', '-check_ss_sig', '-attime', DURING, '-CAfile', file, file),
        /: OK/,
      );
      const certificate = new X509Certificate(authority.certificate.der);
      assert.ok(certificate.verify(certificate.publicKey));
      assert.equal(certificate.ca, true);
    });
  }

  it('is what the profile says, in the words of openssl', () => {
    const file = pemFile('authority.pem', makeAuthority().certificate.der);
    const text = openssl.run('x509', '-noout', '-text', '-in', file);
    assert.match(text, /Issuer: CN = Everleaf authority 1\n/);
    assert.match(text, /Subject: CN = Everleaf authority 1\n/);
    assert.match(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:1\n/);
    assert.match(text, /Key Usage: critical\s+Certificate Sign, CRL Sign\n/);
    assert.match(text, /Subject Key Identifier: \s+([0-9A-F]{2}:){19}/);
    assert.doesNotMatch(text, /Extended Key Usage|Authority Key Identifier|Alternative Name/);
  });
});

describe('a cross certificate', () => {
  const old = makeAuthority('P-256', 'Everleaf authority 1');
  const next = makeAuthority('P-256', 'Everleaf authority 2', newKeyPair('P-256'));
  const input = crossInput(old, next);
  const tbs = buildAuthorityTbs(input);
  const cross = parseCertificate(old.issue(tbs));
  const leaf = pemFile('leaf.pem', next.issue(buildLeafTbs(leafInput(next, keyPair('RSA-2048')))));
  const verify = (root: Uint8Array, via: Uint8Array) => {
    const chain = ['-CAfile', pemFile('root.pem', root), '-untrusted', pemFile('cross.pem', via)];
    return openssl.attempt(
      'verify',
      '-x509_strict',
      '-purpose',
      'sslclient',
      '-attime',
      DURING,
      ...chain,
      leaf,
    );
  };

  it('passes the lint', () => {
    lintAuthority(tbs, input, {
      maximumValiditySeconds: YEAR,
      cross: { signer: old.certificate, authority: next.certificate },
    });
  });

  it('is the same authority under another signature', () => {
    assert.deepEqual(cross.subjectDer, next.certificate.subjectDer);
    assert.deepEqual(cross.spki, next.certificate.spki);
    assert.deepEqual(cross.subjectKeyId, next.certificate.subjectKeyId);
    assert.deepEqual(cross.authorityKeyId, old.certificate.subjectKeyId);
    assert.deepEqual(cross.basicConstraints, { isAuthority: true, pathLength: 0 });
    assert.equal(verifySignedBy(cross, old.certificate.spki), true);
  });

  it('leads from a leaf of the next authority to the old root', () => {
    assert.match(verify(old.certificate.der, cross.der).output, /leaf\.pem: OK/);
  });

  it('needs the path length of 1 in the old root', () => {
    const closed = old.issue(buildAuthorityTbs({ ...authorityInput(old.key), pathLength: 0 }));
    assert.match(verify(closed, cross.der).output, /path length constraint exceeded/);
  });
});
