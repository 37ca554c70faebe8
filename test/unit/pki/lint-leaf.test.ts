import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseCertificate, parseTbsCertificate } from '../../../shared/pki/certificate.ts';
import { buildLeafTbs, type LeafInput } from '../../../shared/pki/leaf-certificate.ts';
import { lintLeaf } from '../../../shared/pki/lint-leaf.ts';
import { buildTbs } from '../../../shared/pki/tbs-certificate.ts';
import { leafInput, makeAuthority } from './support/authority.ts';
import { refusal } from './support/errors.ts';
import { findingsOf, onlyFinding } from './support/findings.ts';
import { keyPair, rsaSpki } from './support/keys.ts';
import {
  context,
  hex,
  implicit,
  integer,
  name,
  nothing,
  octetString,
  oid,
  sequence,
  tlv,
  yes,
} from './support/tlv.ts';

const authority = makeAuthority();
const client = keyPair('RSA-2048');
const policy = { authority: authority.certificate, maximumValiditySeconds: 90 * 86_400 + 300 };

/** The findings about a leaf built from one input and asked for by another. */
function findings(built: Partial<LeafInput>, asked: Partial<LeafInput> = built, tbs?: Uint8Array): string[] {
  const leaf = leafInput(authority, client, asked);
  return findingsOf(() => lintLeaf(tbs ?? buildLeafTbs(leafInput(authority, client, built)), leaf, policy));
}

/** A good leaf's parts, with extensions replaced (by identifier), added or, for null, left out. */
function leafWith(changes: Record<string, { value: Uint8Array; critical?: boolean } | null>): Uint8Array {
  const input = leafInput(authority, client);
  const good = parseTbsCertificate(buildLeafTbs(input));
  const extensions = new Map(good.extensions);
  for (const [type, change] of Object.entries(changes)) {
    if (change === null) extensions.delete(type);
    else extensions.set(type, { critical: extensions.get(type)?.critical ?? false, ...change, oid: type });
  }
  return buildTbs({
    ...input,
    issuerDer: good.issuerDer,
    subjectDer: good.subjectDer,
    extensions: [...extensions.values()],
  });
}

describe('the lint of a leaf', () => {
  it('finds nothing in what the builder makes', () => {
    assert.deepEqual(findings({}), []);
    assert.deepEqual(
      findings({ server: true, names: { dns: ['a.example'], ipAddresses: ['0:0::1', '10.0.0.1'] } }),
      [],
    );
  });

  it('names all findings in one error', () => {
    const list = findings({ serialNumber: 'ff', server: true }, {});
    assert.ok(list.length >= 3, list.join('\n'));
    assert.match(
      refusal('LintFailed', null, () => lintLeaf(Uint8Array.of(5, 0), leafInput(authority, client), policy)),
      /^Cannot sign the certificate of "management\/KMS": the certificate: .*\.$/,
    );
  });

  it('finds bytes that are no certificate', () => {
    onlyFinding(findings({}, {}, Uint8Array.of(0x30)), /the certificate: the DER ends/);
    onlyFinding(findings({}, {}, authority.certificate.der), /the certificate: /);
  });

  it('finds serial numbers that are too short, not the one asked for, or no number at all', () => {
    onlyFinding(findings({ serialNumber: '0f'.repeat(7) }), /has 7 bytes, expected at least 8/);
    onlyFinding(findings({ serialNumber: '0f'.repeat(16) }, {}), /serial number is 0f0f.*, expected 0a3c/);
    onlyFinding(findings({ serialNumber: '00' }), /not a positive number/);
    onlyFinding(findings({ serialNumber: '7f'.repeat(21) }), /at most 20 octets/);
    assert.deepEqual(findings({ serialNumber: `00${'ab'.repeat(15)}` }), []);
  });

  it('finds dates that are not the ones asked for, reversed, too long or outside the authority’s', () => {
    const at = (iso: string) => new Date(iso);
    onlyFinding(
      findings({ notBefore: at('2026-05-01T00:00:00Z') }, {}),
      /notBefore is not the one asked for/,
    );
    onlyFinding(findings({ notAfter: at('2026-07-01T00:00:00Z') }, {}), /notAfter is not the one asked for/);
    onlyFinding(findings({ notAfter: at('2026-04-30T23:55:00Z') }), /does not lie after notBefore/);
    onlyFinding(
      findings({ notAfter: at('2026-07-30T00:00:00Z') }),
      /valid for 7776301 s, expected at most 7776300 s/,
    );
    onlyFinding(
      findings({ notBefore: at('2025-12-31T23:59:59Z'), notAfter: at('2026-02-01T00:00:00Z') }),
      /outside the authority/,
    );
    onlyFinding(
      findings({ notBefore: at('2026-12-01T00:00:00Z'), notAfter: at('2027-01-01T00:00:00Z') }),
      /outside the authority/,
    );
  });

  it('finds an issuer that is not the authority', () => {
    const other = makeAuthority('P-384', 'Everleaf authority 2');
    const { subjectDer, subjectKeyId } = other.certificate;
    const list = findings({ issuer: { subjectDer, subjectKeyId: subjectKeyId ?? new Uint8Array() } });
    assert.equal(list.length, 2);
    assert.match(list.join(), /issuer is not .* byte for byte.*authorityKeyIdentifier is not/);
    // The same name in another string type is another name to a verifier that compares bytes.
    const printable = name(['2.5.4.3', tlv(0x13, Buffer.from('Everleaf authority 1'))]);
    const { subjectKeyId: own } = authority.certificate;
    const issuer = { subjectDer: Uint8Array.from(printable), subjectKeyId: own ?? new Uint8Array() };
    onlyFinding(findings({ issuer }), /byte for byte/);
  });

  it('finds a signer that may not sign', () => {
    const leaf = parseCertificate(authority.issue(buildLeafTbs(leafInput(authority, keyPair('P-384')))));
    const signer = {
      ...leaf,
      subjectDer: authority.certificate.subjectDer,
      subjectKeyId: authority.certificate.subjectKeyId,
    };
    const input = leafInput(authority, client);
    const list = findingsOf(() => lintLeaf(buildLeafTbs(input), input, { ...policy, authority: signer }));
    onlyFinding(list, /the signer is no authority/);
    const bare = { ...authority.certificate, extensions: new Map() };
    onlyFinding(
      findingsOf(() => lintLeaf(buildLeafTbs(input), input, { ...policy, authority: bare })),
      /is no authority/,
    );
  });

  it('finds an algorithm that is not the one asked for or not that of the authority’s key', () => {
    onlyFinding(findings({ signatureAlgorithm: 'ES384' }, {}), /signature algorithm is not ES256/);
    onlyFinding(findings({ signatureAlgorithm: 'RS256' }), /RS256 does not fit the authority's key/);
  });

  it('finds keys that are weak, foreign or the authority’s own', () => {
    const list = findings({ spki: keyPair('P-384').spki }, {});
    assert.match(list.join(), /public key is not the one asked for/);
    onlyFinding(findings({ spki: rsaSpki((1n << 1023n) + 1n) }), /the public key: the RSA key has 1024 bits/);
    onlyFinding(findings({ spki: authority.key.spki }), /the authority's own/);
  });

  it('finds a subject, an access identity or a SPIFFE ID of somebody else', () => {
    const list = findings({ subject: { commonName: 'CSI', organization: 'management' } }, {});
    onlyFinding(list, /subject is .*CSI.*, expected .*KMS/);
    assert.match(
      findings({ subject: { commonName: 'KMS' } }).join(),
      /access identity .* not that of the subject/,
    );
    onlyFinding(
      findings({ accessIdentity: 'management/CSI' }, {}),
      /the access identity is not the one asked for/,
    );
    onlyFinding(
      findings({ accessIdentity: 'management/CSI' }),
      /"management\/CSI" is not that of the subject/,
    );
    const uri = (spiffeUri: string) => findings({ spiffeUri });
    onlyFinding(
      uri('spiffe://everleaf.local/cluster/management/client/CSI'),
      /is not spiffe:\/\/<trust domain>/,
    );
    onlyFinding(uri('https://everleaf.local/cluster/management/client/KMS'), /is not spiffe/);
    onlyFinding(uri('spiffe:///cluster/management/client/KMS'), /is not spiffe/);
    onlyFinding(uri('spiffe://a/b/cluster/management/client/KMS'), /is not spiffe/);
    onlyFinding(
      findings({ spiffeUri: 'spiffe://other.local/cluster/management/client/KMS' }, {}),
      /expected the SPIFFE ID alone/,
    );
  });

  it('finds names too long for X.509', () => {
    const commonName = 'x'.repeat(65);
    const list = findings({
      subject: { commonName, organization: 'management' },
      accessIdentity: `management/${commonName}`,
      spiffeUri: `spiffe://everleaf.local/cluster/management/client/${commonName}`,
    });
    onlyFinding(list, /commonName has 65 characters, at most 64 fit/);
  });

  it('finds names that were not asked for, doubled, or no host names', () => {
    const names = (dns: string[], ipAddresses: string[] = []) => ({ names: { dns, ipAddresses } });
    onlyFinding(findings(names(['a.example']), {}), /DNS names are a\.example, expected/);
    onlyFinding(findings(names(['a', 'a'])), /DNS names are a,a, expected a,a/);
    onlyFinding(findings(names(['*.example'])), /"\*\.example" is no host name/);
    onlyFinding(findings(names([], ['127.0.0.1']), {}), /addresses are 127\.0\.0\.1, expected/);
    onlyFinding(findings(names([]), names([], ['nonsense'])), /addresses are , expected nonsense/);
    const uri = implicit(6, Buffer.from('spiffe://everleaf.local/cluster/management/client/KMS'));
    const email = implicit(1, Buffer.from('a@b.example'));
    onlyFinding(
      findings({}, {}, leafWith({ '2.5.29.17': { value: sequence(uri, email) } })),
      /names other than URI/,
    );
    onlyFinding(
      findings({}, {}, leafWith({ '2.5.29.17': { value: sequence(uri, uri) } })),
      /the SPIFFE ID alone/,
    );
  });

  it('finds extensions that are missing, foreign or critical where they must not be', () => {
    onlyFinding(findings({}, {}, leafWith({ '2.5.29.17': null })), /2\.5\.29\.17 is missing/);
    onlyFinding(findings({}, {}, leafWith({ '1.2.3': { value: yes() } })), /1\.2\.3 is not in the profile/);
    const { value } = parseTbsCertificate(leafWith({})).extensions.get('2.5.29.37') ?? { value: yes() };
    onlyFinding(findings({}, {}, leafWith({ '2.5.29.37': { value, critical: true } })), /wrong criticality/);
    const absent = findings(
      {},
      {},
      leafWith({ '2.5.29.19': null, '2.5.29.15': null, '2.5.29.14': null, '2.5.29.35': null }),
    );
    assert.equal(absent.filter((each) => each.includes('is missing')).length, 4);
  });

  it('finds extras that a leaf may not carry, and such as it should', () => {
    const foreign = { oid: '1.2.3', critical: false, value: Uint8Array.from(yes()) };
    onlyFinding(findings({ extraExtensions: [foreign] }), /1\.2\.3 is not in the profile/);
    const count = { oid: '1.3.6.1.4.1.311.104.1.3', critical: false, value: Uint8Array.of(2, 1, 1) };
    const original = { oid: '1.3.6.1.4.1.311.104.1.2', critical: false, value: Uint8Array.of(0x30, 0) };
    assert.deepEqual(findings({ extraExtensions: [count, original] }), []);
    onlyFinding(findings({ extraExtensions: [count] }, {}), /104\.1\.3 is not in the profile/);
    const other = { ...count, value: Uint8Array.of(2, 1, 2) };
    onlyFinding(
      findings({ extraExtensions: [count] }, { extraExtensions: [other] }),
      /is not the one asked for/,
    );
    onlyFinding(findings({ extraExtensions: [{ ...count, critical: true }] }), /wrong criticality/);
  });

  it('finds purposes beyond the profile', () => {
    const change = (type: string, value: Uint8Array) => findings({}, {}, leafWith({ [type]: { value } }));
    onlyFinding(change('2.5.29.19', sequence(yes(), integer('00'))), /makes it an authority/);
    onlyFinding(
      change('2.5.29.15', hex('03020186')),
      /keyUsage is digitalSignature,keyCertSign,cRLSign, expected/,
    );
    onlyFinding(
      change('2.5.29.37', sequence(oid('2.5.29.37.0'))),
      /extKeyUsage is 2\.5\.29\.37\.0, expected/,
    );
    onlyFinding(findings({ server: true }, {}).slice(0, 1), /keyUsage is digitalSignature,keyEncipherment/);
    onlyFinding(
      change('1.3.6.1.5.5.7.10.2', octetString(Buffer.from('management/KMS'))),
      /access identity is not/,
    );
  });

  it('finds extensions that cannot be read', () => {
    const change = (type: string, value: Uint8Array) =>
      findings({}, {}, leafWith({ [type]: { value } })).join();
    assert.match(change('2.5.29.15', hex('030100')), /keyUsage has 0 bits/);
    assert.match(change('2.5.29.15', hex('03020080')), /keyUsage has 8 bits/);
    assert.match(change('2.5.29.15', hex('030400800000')), /keyUsage has 24 bits/);
    assert.match(change('2.5.29.37', sequence()), /extKeyUsage is empty/);
    assert.match(change('2.5.29.17', nothing()), /subjectAltName has the tag/);
    assert.match(change('2.5.29.19', nothing()), /basicConstraints has the tag/);
  });

  it('finds key identifiers that are not the keys’', () => {
    const change = (type: string, value: Uint8Array) => findings({}, {}, leafWith({ [type]: { value } }));
    onlyFinding(
      change('2.5.29.14', octetString(hex('00'.repeat(20)))),
      /subjectKeyIdentifier is not that of the public key/,
    );
    const keyId = authority.certificate.subjectKeyId ?? new Uint8Array();
    const withSerial = sequence(implicit(0, keyId), context(1), implicit(2, hex('01')));
    onlyFinding(change('2.5.29.35', withSerial), /key identifier alone/);
    onlyFinding(change('2.5.29.35', sequence(implicit(0, hex('00')))), /key identifier alone/);
  });

  it('finds addresses of revocation lists and issuers that were not asked for', () => {
    const [crlUrl, ocsp, caIssuers] = [
      'http://a.example/crl',
      'http://a.example/ocsp',
      'http://a.example/ca',
    ];
    assert.deepEqual(findings({ crlUrl, authorityInfo: { ocsp, caIssuers } }), []);
    onlyFinding(
      findings({ crlUrl }, { crlUrl: 'http://b.example/crl' }),
      /CRL is at http:\/\/a.*, expected http:\/\/b/,
    );
    onlyFinding(findings({ crlUrl }, {}), /2\.5\.29\.31 is not in the profile/);
    const info = (built: LeafInput['authorityInfo'], asked: LeafInput['authorityInfo']) =>
      findings({ ...(built && { authorityInfo: built }) }, { ...(asked && { authorityInfo: asked }) });
    onlyFinding(info({ ocsp }, { ocsp: caIssuers }), /authorityInfoAccess is not the one asked for/);
    onlyFinding(info({ ocsp, caIssuers }, { ocsp }), /authorityInfoAccess is not the one asked for/);
    onlyFinding(info({}, {}), /authorityInfoAccess is not the one asked for/);
    const odd = sequence(sequence(oid('1.2.3'), implicit(6, Buffer.from(ocsp))));
    const list = findings({}, { authorityInfo: { ocsp } }, leafWith({ '1.3.6.1.5.5.7.1.1': { value: odd } }));
    assert.match(list.join(), /has the method 1\.2\.3/);
    const noUri = sequence(sequence(oid('1.3.6.1.5.5.7.48.1'), implicit(2, Buffer.from('a'))));
    const other = findings(
      {},
      { authorityInfo: { ocsp } },
      leafWith({ '1.3.6.1.5.5.7.1.1': { value: noUri } }),
    );
    assert.match(other.join(), /a location is no URI/);
  });

  it('does not swallow errors that are not about the certificate', () => {
    const broken = {
      ...policy,
      get authority(): never {
        throw new TypeError('a programming error');
      },
    };
    const leaf = leafInput(authority, client);
    assert.throws(() => lintLeaf(buildLeafTbs(leaf), leaf, broken), TypeError);
  });
});
