import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { buildLeafTbs } from '../../../shared/pki/leaf-certificate.ts';
import { certIdFor, isSameCertIdIssuer } from '../../../shared/pki/ocsp-cert-id.ts';
import { parseOcspRequest } from '../../../shared/pki/ocsp-request.ts';
import { encodePem } from '../../../shared/pki/pem.ts';
import { leafInput, makeAuthority } from './support/authority.ts';
import { refusal } from './support/errors.ts';
import { keyPair } from './support/keys.ts';
import { certId, NONCE, ocspRequest, rawExtension, SHA1, SHA256 } from './support/ocsp.ts';
import { openOpensslDirectory } from './support/openssl.ts';
import {
  bitString,
  context,
  hex,
  implicit,
  integer,
  no,
  nothing,
  type Octets,
  octetString,
  oid,
  sequence,
  yes,
} from './support/tlv.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

const refuse = (der: Octets, reason = 'malformed') =>
  refusal('InvalidInput', reason, () => parseOcspRequest(der));
const single = sequence(certId());
const serialOf = (serial: string) =>
  parseOcspRequest(ocspRequest([sequence(certId({ serial }))])).certIds[0]?.serialNumber;

describe('an OCSP request', () => {
  it('of openssl is read, and its CertIDs name the authority', () => {
    for (const kind of ['P-256', 'RSA-2048'] as const) {
      const authority = makeAuthority(kind);
      const leaf = authority.issue(
        buildLeafTbs(leafInput(authority, keyPair('P-256'), { serialNumber: `fa${'3c'.repeat(15)}` })),
      );
      const issuer = openssl.write('issuer.pem', encodePem('CERTIFICATE', authority.certificate.der));
      const cert = openssl.write('leaf.pem', encodePem('CERTIFICATE', leaf));
      const asked = ['-issuer', issuer, '-cert', cert, '-sha256', '-cert', cert, '-sha384', '-serial', '77'];
      openssl.run('ocsp', ...asked, '-reqout', openssl.path('request.der'));
      const { certIds, nonce } = parseOcspRequest(readFileSync(openssl.path('request.der')));
      assert.deepEqual(
        certIds.map(({ hashAlgorithm, serialNumber }) => [hashAlgorithm, serialNumber]),
        [
          ['sha1', `fa${'3c'.repeat(15)}`],
          ['sha256', `fa${'3c'.repeat(15)}`],
          [null, '4d'],
        ],
      );
      assert.equal(nonce?.length, 16);
      const isOurs = certIds.map((id) =>
        (['sha1', 'sha256'] as const).map((hash) =>
          isSameCertIdIssuer(id, certIdFor(authority.certificate, hash)),
        ),
      );
      assert.deepEqual(isOurs, [
        [true, false],
        [false, true],
        [false, false],
      ]);
      const [first] = certIds;
      assert.ok(first);
      const another = makeAuthority('P-256', 'another');
      assert.equal(isSameCertIdIssuer(first, certIdFor(another.certificate, 'sha1')), false);
      const renewed = makeAuthority('P-256', undefined, keyPair('P-256', 'renewed'));
      assert.equal(isSameCertIdIssuer(first, certIdFor(renewed.certificate, 'sha1')), false);
    }
  });

  it('is echoed CertID by CertID, byte for byte', () => {
    const der = certId({ hash: SHA256, digest: new Uint8Array(32) });
    const { certIds } = parseOcspRequest(ocspRequest([single, sequence(der)]));
    assert.deepEqual(
      certIds.map((id) => Buffer.from(id.der)),
      [certId(), der],
    );
  });

  it('is never by a digest that is not supported, not even when both are', () => {
    const [id] = parseOcspRequest(ocspRequest([sequence(certId({ hash: '1.2.3' }))])).certIds;
    assert.ok(id);
    assert.equal(isSameCertIdIssuer(id, id), false);
  });

  it('asks about serial numbers in the written form, and about none that is issued when they are not positive', () => {
    assert.equal(serialOf('01'), '01');
    assert.equal(serialOf('00ff'), 'ff');
    assert.equal(serialOf(`00${'ff'.repeat(19)}`), 'ff'.repeat(19));
    assert.equal(serialOf('7f'.repeat(20)), '7f'.repeat(20));
    assert.equal(serialOf('00'), '00');
    assert.equal(serialOf('ff'), '-01');
    assert.equal(serialOf('8000'), '-8000');
    assert.equal(serialOf('ff7f'), '-81');
    assert.match(refuse(ocspRequest([sequence(certId({ serial: '7f'.repeat(21) }))])), /has 21 octets/);
  });

  it('may carry a nonce of 1 to 128 bytes, critical or not, and none of another length', () => {
    const withNonce = (length: number, flag?: Octets) =>
      ocspRequest([single], [rawExtension(NONCE, octetString(new Uint8Array(length).fill(9)), flag)]);
    assert.equal(parseOcspRequest(ocspRequest([single])).nonce, null);
    for (const length of [1, 16, 32, 128]) {
      assert.deepEqual(parseOcspRequest(withNonce(length)).nonce, new Uint8Array(length).fill(9));
    }
    assert.equal(parseOcspRequest(withNonce(16, yes())).nonce?.length, 16);
    for (const length of [0, 129, 1000]) assert.match(refuse(withNonce(length)), /expected 1 to 128/);
    refuse(ocspRequest([single], [rawExtension(NONCE, hex('0102'))]), 'not-der');
    refuse(ocspRequest([single], [rawExtension(NONCE, integer('01'))]));
  });

  it('may carry a name, a signature and extensions that are not critical, which mean nothing', () => {
    const extra = rawExtension('1.3.6.1.5.5.7.48.1.7', sequence());
    const request = sequence(certId(), context(0, sequence(extra)));
    const named = sequence(context(1, implicit(2, Buffer.from('asker'))), sequence(request));
    const signature = context(0, sequence(sequence(oid('1.2.3')), bitString(hex('00'))));
    assert.equal(parseOcspRequest(sequence(named, signature)).certIds.length, 1);
    assert.equal(parseOcspRequest(ocspRequest([single], [extra])).nonce, null);
  });

  it('must not carry a critical extension that is not understood, nor an empty list of them', () => {
    const critical = rawExtension('1.3.6.1.5.5.7.48.1.7', sequence(), yes());
    assert.match(
      refuse(ocspRequest([single], [critical])),
      /critical extension 1\.3\.6\.1\.5\.5\.7\.48\.1\.7/,
    );
    refuse(ocspRequest([sequence(certId(), context(0, sequence(critical)))]));
    refuse(ocspRequest([single], [rawExtension('1.2.3', sequence(), no())]));
    assert.match(refuse(sequence(sequence(sequence(single), context(2, sequence())))), /are empty/);
    const twice = [1, 2].map((value) => rawExtension(NONCE, octetString(Uint8Array.of(value))));
    refuse(ocspRequest([single], twice), 'duplicate-extension');
    const many = Array.from({ length: 9 }, (_, i) => rawExtension(`1.2.${i}`, sequence()));
    refuse(ocspRequest([single], many), 'too-many-extensions');
  });

  it('asks about 1 to 20 certificates in at most 16 KiB', () => {
    const asking = (count: number) => ocspRequest(Array.from({ length: count }, () => single));
    assert.equal(parseOcspRequest(asking(20)).certIds.length, 20);
    refuse(asking(21), 'too-many-requests');
    assert.match(refuse(asking(0)), /no certificate/);
    refuse(new Uint8Array(16 * 1024 + 1), 'too-large');
  });

  it('has digests of the length of their algorithm, and no parameters but NULL', () => {
    refuse(ocspRequest([sequence(certId({ hash: SHA256 }))]));
    refuse(ocspRequest([sequence(certId({ hash: SHA1, digest: new Uint8Array(21) }))]));
    const digest = octetString(new Uint8Array(20));
    const withAlgorithm = (...algorithm: Octets[]) =>
      ocspRequest([sequence(sequence(sequence(...algorithm), digest, digest, integer('01')))]);
    assert.equal(parseOcspRequest(withAlgorithm(oid(SHA1))).certIds[0]?.hashAlgorithm, 'sha1');
    refuse(withAlgorithm(oid(SHA1), sequence()));
    assert.equal(parseOcspRequest(withAlgorithm(oid('1.2.3'), sequence())).certIds[0]?.hashAlgorithm, null);
  });

  it('has version 1, which is left out, and nothing before or behind what belongs there', () => {
    const versioned = sequence(sequence(context(0, integer('00')), sequence(single)));
    refuse(versioned, 'unsupported-version');
    refuse(Buffer.concat([ocspRequest([single]), hex('00')]), 'trailing-data');
    refuse(sequence(sequence(sequence(single), nothing())));
    refuse(sequence(sequence(sequence(single)), nothing()));
    refuse(ocspRequest([sequence(certId(), nothing())]));
    refuse(ocspRequest([sequence(sequence(certId(), nothing()))]));
    refuse(sequence());
    refuse(hex('0500'));
    refuse(hex('3080 0000'), 'not-der');
  });
});
