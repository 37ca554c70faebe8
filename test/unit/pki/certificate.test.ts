import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { after, describe, it } from 'node:test';
import { bundleId } from '../../../shared/pki/bundle.ts';
import {
  fingerprintSha256,
  parseCertificate,
  parseTbsCertificate,
  verifySignedBy,
} from '../../../shared/pki/certificate.ts';
import { decodePem, encodePem } from '../../../shared/pki/pem.ts';
import { makeAuthority } from './support/authority.ts';
import { refusal } from './support/errors.ts';
import { keyPair } from './support/keys.ts';
import { openOpensslDirectory } from './support/openssl.ts';
import { ECDSA_WITH_SHA256, extension, SHA256_WITH_RSA } from './support/requests.ts';
import {
  bitString,
  context,
  hex,
  implicit,
  integer,
  name,
  nothing,
  type Octets,
  octetString,
  oid,
  sequence,
  tlv,
  utf8,
  yes,
} from './support/tlv.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

interface Parts {
  readonly version?: Octets | null;
  readonly serialNumber?: Octets;
  readonly validity?: Octets;
  readonly extensions?: readonly Octets[];
  readonly afterKey?: readonly Octets[];
  readonly outerAlgorithm?: Octets;
}

const utcTime = (digits: string) => tlv(0x17, Buffer.from(`${digits}Z`));

/** A certificate written by hand, with parts replaced; its signature is a single zero octet. */
function certificateOf(parts: Parts = {}): Uint8Array {
  const version = parts.version === undefined ? context(0, integer('02')) : parts.version;
  const tbs = sequence(
    ...(version === null ? [] : [version]),
    parts.serialNumber ?? integer('01'),
    ECDSA_WITH_SHA256(),
    name(['2.5.4.3', utf8('issuer')]),
    parts.validity ?? sequence(utcTime('260101000000'), utcTime('261231235959')),
    name(['2.5.4.3', utf8('subject')]),
    keyPair('P-256').spki,
    ...(parts.afterKey ?? []),
    ...(parts.extensions === undefined ? [] : [context(3, sequence(...parts.extensions))]),
  );
  return Uint8Array.from(sequence(tbs, parts.outerAlgorithm ?? ECDSA_WITH_SHA256(), bitString(hex('00'))));
}

const refuse = (reason: string, parts: Parts) =>
  refusal('InvalidInput', reason, () => parseCertificate(certificateOf(parts)));

describe('reading a certificate of openssl', () => {
  const key = openssl.write(
    'key.pem',
    keyPair('RSA-2048').privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  const options = ['-x509', '-days', '10', '-set_serial', '0x00f1e2d3', '-subj', '/O=Field/CN=KMS'];
  const pem = openssl.run(
    'req',
    '-new',
    '-key',
    key,
    ...options,
    '-addext',
    ...[
      'basicConstraints=critical,CA:TRUE,pathlen:3',
      '-addext',
      'subjectKeyIdentifier=hash',
      '-addext',
      'authorityKeyIdentifier=keyid:always',
    ],
  );
  const certificate = parseCertificate(decodePem(pem, 'CERTIFICATE'));
  const reference = new X509Certificate(pem);

  it('agrees with node:crypto about what it says', () => {
    assert.equal(certificate.serialNumber, 'f1e2d3');
    assert.equal(certificate.serialNumber.toUpperCase(), reference.serialNumber);
    assert.deepEqual(certificate.subject, { commonName: 'KMS', organization: 'Field' });
    assert.deepEqual(certificate.notBefore, new Date(reference.validFrom));
    assert.deepEqual(certificate.notAfter, new Date(reference.validTo));
    assert.deepEqual(
      Buffer.from(certificate.spki),
      reference.publicKey.export({ type: 'spki', format: 'der' }),
    );
    assert.deepEqual(certificate.basicConstraints, { isAuthority: true, pathLength: 3 });
    assert.deepEqual(certificate.issuerDer, certificate.subjectDer);
    assert.equal(
      fingerprintSha256(certificate.der),
      reference.fingerprint256.replaceAll(':', '').toLowerCase(),
    );
  });

  it('finds key identifiers where openssl put them', () => {
    assert.equal(certificate.subjectKeyId?.length, 20);
    assert.deepEqual(certificate.authorityKeyId, certificate.subjectKeyId);
  });

  it('verifies its signature, and only with the right key', () => {
    assert.equal(verifySignedBy(certificate, certificate.spki), true);
    assert.equal(verifySignedBy(certificate, keyPair('RSA-3072').spki), false);
    assert.equal(verifySignedBy(certificate, keyPair('P-256').spki), false);
  });

  it('does not verify an altered certificate', () => {
    const altered = Buffer.from(certificate.der);
    altered.write('CSI', altered.lastIndexOf('KMS'), 'latin1');
    assert.equal(verifySignedBy(parseCertificate(altered), certificate.spki), false);
  });

  it('refuses to verify SHA-1', () => {
    const weak = openssl.run(
      'req',
      '-new',
      '-key',
      key,
      ...options,
      '-sha1',
      '-addext',
      'basicConstraints=CA:FALSE',
    );
    const parsed = parseCertificate(decodePem(weak, 'CERTIFICATE'));
    refusal('InvalidInput', 'weak-digest', () => verifySignedBy(parsed, parsed.spki));
  });

  it('writes it as PEM, byte for byte as openssl did', () => {
    assert.equal(encodePem('CERTIFICATE', certificate.der), pem);
  });
});

describe('reading a certificate', () => {
  it('takes the signed part alone as well', () => {
    const { certificate } = makeAuthority();
    const { der, outerAlgorithmDer, signature, ...tbs } = certificate;
    assert.deepEqual(parseTbsCertificate(certificate.tbs), tbs);
    assert.ok(der.length > tbs.tbs.length + signature.length + outerAlgorithmDer.length);
  });

  it('has nothing to say about identifiers and constraints that are not there', () => {
    const certificate = parseCertificate(certificateOf());
    assert.equal(certificate.subjectKeyId, null);
    assert.equal(certificate.authorityKeyId, null);
    assert.equal(certificate.basicConstraints, null);
    assert.deepEqual(certificate.subject, { commonName: 'subject', organization: null });
  });

  it('refuses unique identifiers', () => {
    refuse('malformed', { afterKey: [implicit(1, hex('00'))] });
  });

  it('takes version 3 only', () => {
    assert.match(refuse('unsupported-version', { version: null }), /version 1, expected version 3/);
    refuse('unsupported-version', { version: context(0, integer('01')) });
    refuse('malformed', { version: context(0, integer('02'), integer('02')) });
  });

  it('takes positive serial numbers of at most 20 octets only', () => {
    refuse('malformed', { serialNumber: integer('00') });
    refuse('malformed', { serialNumber: integer('80') });
    refuse('malformed', { serialNumber: integer('01'.repeat(21)) });
    assert.equal(parseCertificate(certificateOf({ serialNumber: integer('00ff') })).serialNumber, 'ff');
    assert.equal(
      parseCertificate(certificateOf({ serialNumber: integer('01'.repeat(20)) })).serialNumber,
      '01'.repeat(20),
    );
  });

  it('refuses two algorithms, double extensions, and what is too large or too much', () => {
    refuse('malformed', { outerAlgorithm: SHA256_WITH_RSA() });
    refuse('duplicate-extension', { extensions: [extension('1.2.3', yes()), extension('1.2.3', yes())] });
    refuse('too-many-extensions', {
      extensions: Array.from({ length: 33 }, (_, index) => extension(`1.2.3.${index}`, yes())),
    });
    refuse('too-large', { extensions: [extension('1.2.3', new Uint8Array(17_000))] });
    refuse('malformed', { afterKey: [nothing()] });
    refuse('malformed', { validity: sequence(utcTime('260101000000')) });
    refuse('malformed', { validity: sequence(utcTime('260101000000'), utcTime('261331235959')) });
  });

  it('refuses extensions it must understand and cannot read', () => {
    const broken: [type: string, value: Octets][] = [
      ['2.5.29.19', sequence(tlv(0x01, hex('00')))],
      ['2.5.29.19', sequence(integer('01'))],
      ['2.5.29.19', sequence(yes(), integer('ff'))],
      ['2.5.29.19', sequence(yes(), integer('0100'))],
      ['2.5.29.14', sequence()],
      ['2.5.29.35', octetString(hex('00'))],
    ];
    for (const [type, value] of broken) refuse('malformed', { extensions: [extension(type, value)] });
  });

  it('says when an authority key identifier names no key', () => {
    const value = sequence(context(1), implicit(2, hex('01')));
    assert.equal(
      parseCertificate(certificateOf({ extensions: [extension('2.5.29.35', value)] })).authorityKeyId,
      null,
    );
  });

  it('reads the object identifiers of the extensions', () => {
    const certificate = parseCertificate(
      certificateOf({ extensions: [extension('1.3.6.1.5.5.7.10.2', oid('1.2'), true)] }),
    );
    assert.deepEqual([...certificate.extensions.keys()], ['1.3.6.1.5.5.7.10.2']);
    assert.equal(certificate.extensions.get('1.3.6.1.5.5.7.10.2')?.critical, true);
  });
});

describe('the name of a bundle', () => {
  const [one, two] = [
    certificateOf({ serialNumber: integer('01') }),
    certificateOf({ serialNumber: integer('02') }),
  ];

  it('is the digest over the sorted fingerprints', () => {
    const digests = [one, two].map((der) => createHash('sha256').update(der).digest());
    const expected = createHash('sha256')
      .update(Buffer.concat(digests.sort(Buffer.compare)))
      .digest('hex');
    assert.equal(bundleId([one, two]), expected);
  });

  it('does not depend on order or repetition, but on every certificate', () => {
    assert.equal(bundleId([two, one]), bundleId([one, two]));
    assert.equal(bundleId([one, two, one]), bundleId([one, two]));
    assert.notEqual(bundleId([one]), bundleId([one, two]));
  });
});
