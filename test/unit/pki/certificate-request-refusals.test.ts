import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { checkCertificateRequest, parseCertificateRequest } from '../../../shared/pki/certificate-request.ts';
import { refusal } from './support/errors.ts';
import { type KeyKind, keyPair, rsaSpki } from './support/keys.ts';
import { openOpensslDirectory } from './support/openssl.ts';
import {
  ECDSA_WITH_SHA256,
  extension,
  extensionRequest,
  pemRequest,
  type RequestParts,
  requestDer,
  SHA256_WITH_RSA,
} from './support/requests.ts';
import {
  bitString,
  context,
  hex,
  implicit,
  integer,
  name,
  no,
  nothing,
  type Octets,
  octetString,
  oid,
  sequence,
  set,
  tlv,
  utf8,
  yes,
} from './support/tlv.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

function refuse(reason: string, pem: string, identityName = 'KMS'): string {
  const message = refusal('InvalidCertificateRequest', reason, () =>
    checkCertificateRequest(parseCertificateRequest(pem), { identityName }),
  );
  assert.match(message, /^Cannot accept the certificate request: .+\.$/);
  return message;
}

const refuseParts = (reason: string, parts: RequestParts) => refuse(reason, pemRequest(requestDer(parts)));

/** A request of openssl with a fresh key; `-newkey` and what belongs to it come in. */
function opensslRequest(...options: string[]): string {
  return openssl.run('req', '-new', '-nodes', '-keyout', 'fresh.pem', '-subj', '/CN=KMS', ...options);
}

function opensslRequestOf(kind: KeyKind, ...options: string[]): string {
  const key = openssl.write(`${kind}.pem`, keyPair(kind).privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return openssl.run('req', '-new', '-key', key, '-subj', '/CN=KMS', ...options);
}

const good = pemRequest(requestDer());

describe('the envelope of a certificate request', () => {
  it('must be PEM', () => {
    refuse('not-pem', '');
    refuse('not-pem', 'garbage');
    refuse('not-pem', Buffer.from(requestDer()).toString('base64'));
    refuse('not-pem', `Certificate Request:\n${good}`);
    refuse('not-pem', good.replace('MI', 'M!'));
  });

  it('must have the label of a request', () => {
    refuse('wrong-pem-label', good.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'));
    refuse('wrong-pem-label', good.replaceAll('CERTIFICATE REQUEST', 'EC PRIVATE KEY'));
  });

  it('must hold exactly one request', () => {
    assert.match(refuse('several-requests', good + good), /2 PEM blocks, expected one/);
    refuse('several-requests', `${good}garbage\n${good}`);
  });

  it('must not be larger than 16 KiB of DER', () => {
    refuse('too-large', pemRequest(requestDer({ extensions: [extension('1.2.3', new Uint8Array(16_300))] })));
    refuse('too-large', `${good}${' '.repeat(40_000)}`);
  });

  it('must be DER and nothing after it', () => {
    refuse('trailing-data', pemRequest(Buffer.concat([requestDer(), hex('00')])));
    refuse('trailing-data', pemRequest(Buffer.concat([requestDer(), requestDer()])));
    refuse('not-der', pemRequest(requestDer().slice(0, -1)));
    refuse('not-der', pemRequest(Buffer.from('garbage in base64')));
  });

  it('must not use indefinite lengths', () => {
    const definite = requestDer();
    const content = definite.slice((definite[1] ?? 0) === 0x81 ? 3 : 4);
    assert.match(
      refuse('not-der', pemRequest(Buffer.concat([hex('3080'), content, hex('0000')]))),
      /indefinite/,
    );
  });

  it('must not be nested deeper than 16 levels', () => {
    let nested: Octets = nothing();
    for (let level = 0; level < 20; level += 1) nested = sequence(nested);
    refuseParts('too-deep', { attributes: context(0, sequence(oid('1.2.3'), set(nested))) });
  });
});

describe('the structure of a certificate request', () => {
  it('must be that of PKCS#10', () => {
    refuse('malformed', pemRequest(nothing()));
    refuse('malformed', pemRequest(sequence()));
    refuse('malformed', pemRequest(sequence(sequence(), ECDSA_WITH_SHA256(), bitString(hex('00')))));
    refuse(
      'malformed',
      pemRequest(sequence(integer('00'), ECDSA_WITH_SHA256(), bitString(hex('00')), nothing())),
    );
  });

  it('must have version 0', () => {
    assert.match(
      refuseParts('unsupported-version', { version: integer('02') }),
      /the version is 2, expected 0/,
    );
    refuseParts('malformed', { version: integer('01'.repeat(400)) });
  });

  it('must have at most 32 extensions, none of them twice', () => {
    const extensions = Array.from({ length: 33 }, (_, index) => extension(`1.2.3.${index}`, yes()));
    assert.match(refuseParts('too-many-extensions', { extensions }), /33 extensions, expected at most 32/);
    refuseParts('duplicate-extension', { extensions: [extension('1.2.3', yes()), extension('1.2.3', no())] });
  });

  it('must have at most one request for extensions', () => {
    const one = extensionRequest([extension('1.2.3', yes())]);
    refuseParts('malformed', { attributes: context(0, ...one, ...one) });
    const twoValues = sequence(oid('1.2.840.113549.1.9.14'), set(sequence(), sequence()));
    refuseParts('malformed', { attributes: context(0, twoValues) });
  });

  it('must not spell out defaults', () => {
    refuseParts('malformed', { extensions: [sequence(oid('1.2.3'), no(), octetString(yes()))] });
  });

  it('must have well-formed attributes and extensions', () => {
    refuseParts('malformed', { attributes: context(0, nothing()) });
    refuseParts('malformed', { attributes: context(0, sequence(oid('1.2.3'))) });
    refuseParts('malformed', { attributes: context(0, ...extensionRequest([nothing()])) });
    refuseParts('malformed', { extensions: [sequence(oid('1.2.3'), yes(), yes())] });
  });

  it('must have at most 20 names', () => {
    const names = Array.from({ length: 21 }, (_, index) => implicit(2, Buffer.from(`node-${index}`)));
    const extensions = [extension('2.5.29.17', sequence(...names))];
    assert.match(refuseParts('too-many-names', { extensions }), /21 names, expected at most 20/);
    const attribute = (index: number): [string, Octets] => ['2.5.4.11', utf8(`unit ${index}`)];
    const subject = name(...Array.from({ length: 21 }, (_, index) => attribute(index)));
    refuseParts('too-many-names', { subject });
  });

  it('must have names that can be read and printed', () => {
    const withNames = (...names: Octets[]) => ({ extensions: [extension('2.5.29.17', sequence(...names))] });
    refuseParts('malformed', withNames());
    refuseParts('malformed', withNames(implicit(2, Buffer.from('a.example\0.evil'))));
    refuseParts('malformed', withNames(implicit(2, Buffer.from('a.example\nforged log line'))));
    refuseParts('malformed', withNames(implicit(2, Buffer.from('b\u00fccher.example', 'utf8'))));
    refuseParts('malformed', withNames(implicit(6, new Uint8Array())));
    assert.match(
      refuseParts('malformed', withNames(implicit(7, hex('7f0000')))),
      /3 octets, expected 4 or 16/,
    );
    refuseParts('not-der', { extensions: [extension('2.5.29.17', hex('3005'))] });
  });

  it('must have a subject of at most one common name, which is text', () => {
    const kms: [string, Octets] = ['2.5.4.3', utf8('KMS')];
    refuseParts('malformed', { subject: name(kms, kms) });
    refuseParts('malformed', { subject: name(['2.5.4.3', nothing()]) });
    refuseParts('malformed', { subject: name(['2.5.4.3', tlv(0x0c, hex('ff'))]) });
    refuseParts('malformed', { subject: sequence(set()) });
    refuseParts('malformed', { subject: sequence(sequence()) });
  });
});

describe('the key of a certificate request', () => {
  it('must not be RSA below 2048 bits', () => {
    assert.match(
      refuse('rsa-key-too-small', opensslRequest('-newkey', 'rsa:1024')),
      /1024 bits, expected 2048 to 4096/,
    );
  });

  it('must not have the exponent 3', () => {
    const pem = opensslRequest('-newkey', 'rsa:2048', '-pkeyopt', 'rsa_keygen_pubexp:3');
    assert.match(refuse('rsa-exponent', pem), /exponent is 3, expected 65537/);
  });

  it('must not be secp256k1', () => {
    const pem = opensslRequest('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1');
    assert.match(refuse('unsupported-curve', pem), /secp256k1 .*expected P-256, P-384 or P-521/);
  });

  it('must not be Ed25519', () => {
    assert.match(
      refuse('unsupported-key', opensslRequest('-newkey', 'ed25519')),
      /Ed25519 .*expected RSA or EC/,
    );
  });

  it('must not be EC with explicit parameters', () => {
    const options = ['-pkeyopt', 'ec_paramgen_curve:P-256', '-pkeyopt', 'ec_param_enc:explicit'];
    refuse('explicit-curve', opensslRequest('-newkey', 'ec', ...options));
  });

  it('must not be a compressed point', () => {
    openssl.run('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'plain.pem');
    openssl.run('ec', '-in', 'plain.pem', '-conv_form', 'compressed', '-out', 'compressed.pem');
    refuse('compressed-point', openssl.run('req', '-new', '-key', 'compressed.pem', '-subj', '/CN=KMS'));
  });

  it('must not be easy to factor', () => {
    // 2^2047 + 1 is a multiple of 3; nobody can sign with it, and nothing is verified before it is refused.
    const key = keyPair('RSA-2048');
    refuseParts('weak-key', { key, spki: rsaSpki((1n << 2047n) + 1n) });
  });
});

describe('the signature of a certificate request', () => {
  it('must not use MD5 or SHA-1', () => {
    assert.match(refuse('weak-digest', opensslRequestOf('RSA-2048', '-md5')), /the digest MD5,/);
    assert.match(refuse('weak-digest', opensslRequestOf('RSA-2048', '-sha1')), /the digest SHA-1,/);
    refuse('weak-digest', opensslRequestOf('P-256', '-sha1'));
    refuse('weak-digest', opensslRequestOf('P-256', '-sha224'));
  });

  it('must not use a digest nobody asked for', () => {
    refuse('unsupported-signature-algorithm', opensslRequestOf('RSA-2048', '-sha3-256'));
  });

  it('must be of an algorithm for the key', () => {
    const message = refuseParts('unsupported-signature-algorithm', { signatureAlgorithm: SHA256_WITH_RSA() });
    assert.match(message, /for RSA keys, but the key is EC/);
  });

  it('must be made by the key', () => {
    for (const kind of ['RSA-2048', 'P-256'] as const) {
      const der = requestDer({ key: keyPair(kind) });
      der[der.length - 1] = (der.at(-1) ?? 0) ^ 1;
      refuse('signature-invalid', pemRequest(der));
    }
    refuseParts('signature-invalid', { spki: keyPair('P-384').spki });
    refuseParts('signature-invalid', { signature: new Uint8Array() });
  });

  it('must cover the request as it is', () => {
    const der = Buffer.from(requestDer({ subject: name(['2.5.4.3', utf8('KVA')]) }));
    der.write('KMS', der.indexOf('KVA'), 'latin1');
    refuse('signature-invalid', pemRequest(der));
  });

  it('must be made of whole octets', () => {
    const [info, algorithm] = [sequence(), ECDSA_WITH_SHA256()];
    refuse('malformed', pemRequest(sequence(info, algorithm, tlv(0x03, hex('0180')))));
  });
});

describe('the common name of a certificate request', () => {
  it('must be the name of the identity, and its case counts', () => {
    const message = refuse('wrong-common-name', good, 'CSI');
    assert.match(message, /common name is "KMS", expected none or "CSI"/);
    refuse('wrong-common-name', good, 'kms');
    refuseParts('wrong-common-name', { subject: name(['2.5.4.3', utf8('KMS ')]) });
    refuseParts('wrong-common-name', { subject: name(['2.5.4.3', utf8('KM\u0405')]) });
  });

  it('is shortened and escaped in the refusal', () => {
    const message = refuseParts('wrong-common-name', {
      subject: name(['2.5.4.3', utf8(`\n${'x'.repeat(500)}`)]),
    });
    assert.match(message, /"\\nx{79}\.\.\."/);
    assert.ok(message.length < 250);
  });

  it('is judged before the signature is', () => {
    const parts = {
      signature: new Uint8Array(),
      subject: name(['2.5.4.3', utf8('CSI')]),
    } satisfies RequestParts;
    refuseParts('wrong-common-name', parts);
  });
});
