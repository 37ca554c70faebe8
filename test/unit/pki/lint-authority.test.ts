import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AuthorityInput, buildAuthorityTbs } from '../../../shared/pki/authority-certificate.ts';
import { encodeDer } from '../../../shared/pki/der-reader.ts';
import { derSequence } from '../../../shared/pki/der-writer.ts';
import { encodeName } from '../../../shared/pki/distinguished-name.ts';
import { buildLeafTbs } from '../../../shared/pki/leaf-certificate.ts';
import { type AuthorityPolicy, lintAuthority } from '../../../shared/pki/lint-authority.ts';
import { authorityInput, leafInput, makeAuthority } from './support/authority.ts';
import { findingsOf, onlyFinding } from './support/findings.ts';
import { keyPair, newKeyPair, rsaSpki } from './support/keys.ts';

const authority = makeAuthority();
const YEAR = 365 * 86_400;

describe('the lint of an authority', () => {
  const input = authorityInput(authority.key);
  const next = makeAuthority('P-256', 'Everleaf authority 2', newKeyPair('P-256'));
  const signer = authority.certificate;
  const crossInput: AuthorityInput = {
    ...authorityInput(next.key),
    subjectDer: next.certificate.subjectDer,
    pathLength: 0,
    issuer: { subjectDer: signer.subjectDer, subjectKeyId: signer.subjectKeyId ?? new Uint8Array() },
  };

  function lint(built: AuthorityInput, asked = built, changes: Partial<AuthorityPolicy> = {}): string[] {
    return findingsOf(() =>
      lintAuthority(buildAuthorityTbs(built), asked, { maximumValiditySeconds: YEAR, ...changes }),
    );
  }
  const cross = { cross: { signer, authority: next.certificate } };

  it('finds nothing in what the builder makes', () => {
    assert.deepEqual(lint(input), []);
    assert.deepEqual(lint(crossInput, crossInput, cross), []);
    const crlUrl = 'http://a.example/crl';
    assert.deepEqual(lint({ ...crossInput, crlUrl }, { ...crossInput, crlUrl }, cross), []);
  });

  it('finds bytes that are no certificate', () => {
    onlyFinding(
      findingsOf(() => lintAuthority(new Uint8Array(), input, { maximumValiditySeconds: YEAR })),
      /the DER ends/,
    );
  });

  it('finds a wrong path length, a long life, a weak key and a foreign algorithm', () => {
    onlyFinding(lint({ ...input, pathLength: 0 }), /path length of 1/);
    onlyFinding(lint({ ...input, notAfter: new Date('2027-01-01T00:00:00Z') }), /valid for 31536001 s/);
    onlyFinding(lint({ ...input, signatureAlgorithm: 'RS256' }), /RS256 does not fit the key/);
    const weak = { ...input, spki: rsaSpki((1n << 1023n) + 1n), signatureAlgorithm: 'RS256' as const };
    onlyFinding(lint(weak), /1024 bits/);
  });

  it('finds a subject that is not the one asked for, or not one common name', () => {
    onlyFinding(
      lint(input, { ...input, subjectDer: encodeName({ commonName: 'another' }) }),
      /subject is not the one/,
    );
    const nameless = encodeDer(derSequence());
    onlyFinding(lint({ ...input, subjectDer: nameless }), /not exactly one common name/);
    onlyFinding(
      lint({ ...input, subjectDer: encodeName({ commonName: '' }) }),
      /not exactly one common name/,
    );
  });

  it('finds an issuer where it should sign itself', () => {
    const list = lint(crossInput, { ...crossInput, pathLength: 1 });
    assert.match(list.join('\n'), /2\.5\.29\.35 is not in the profile/);
    assert.match(list.join('\n'), /issuer is not the subject itself/);
    onlyFinding(lint({ ...input, crlUrl: 'http://a.example/crl' }), /2\.5\.29\.31 is not in the profile/);
  });

  it('finds usages that are not an authority’s', () => {
    const leaf = leafInput(authority, keyPair('P-384'));
    const asked = {
      ...input,
      serialNumber: leaf.serialNumber,
      notBefore: leaf.notBefore,
      notAfter: leaf.notAfter,
    };
    const list = findingsOf(() =>
      lintAuthority(buildLeafTbs(leaf), asked, { maximumValiditySeconds: YEAR }),
    ).join('\n');
    assert.match(list, /keyUsage is digitalSignature, expected keyCertSign,cRLSign/);
    assert.match(list, /basicConstraints is not that of an authority/);
    assert.match(list, /2\.5\.29\.37 is not in the profile/);
  });

  it('finds a cross certificate that is not for that authority, or outlives its signer', () => {
    const stranger = makeAuthority('P-384', 'Everleaf authority 2');
    onlyFinding(
      lint(crossInput, crossInput, { cross: { signer, authority: stranger.certificate } }),
      /are not those of the authority/,
    );
    const late = {
      ...crossInput,
      notBefore: new Date('2026-06-01T00:00:00Z'),
      notAfter: new Date('2027-01-01T00:00:00Z'),
    };
    onlyFinding(lint(late, late, cross), /outside the authority's/);
    onlyFinding(lint({ ...crossInput, pathLength: 1 }, crossInput, cross), /path length of 0/);
  });

  it('finds a signer without room below it, or an authority signing its own key again', () => {
    const closed = { ...signer, basicConstraints: { isAuthority: true, pathLength: 0 } };
    onlyFinding(
      lint(crossInput, crossInput, { cross: { signer: closed, authority: next.certificate } }),
      /path length of 0, expected 1/,
    );
    const open = { ...signer, basicConstraints: { isAuthority: true, pathLength: null } };
    assert.deepEqual(
      lint(crossInput, crossInput, { cross: { signer: open, authority: next.certificate } }),
      [],
    );
    const own = { ...crossInput, spki: authority.key.spki, subjectDer: signer.subjectDer };
    onlyFinding(
      lint(own, own, { cross: { signer, authority: signer } }),
      /does not cross-certify its own key/,
    );
  });

  it('finds a revocation list at another address', () => {
    const built = { ...crossInput, crlUrl: 'http://a.example/crl' };
    onlyFinding(lint(built, { ...built, crlUrl: 'http://b.example/crl' }, cross), /CRL is at http:\/\/a/);
  });
});
