import assert from 'node:assert/strict';
import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { after, describe, it } from 'node:test';
import {
  checkPublicKey,
  checkPublicKeyForm,
  readPublicKey,
  spkiHash,
  subjectKeyIdentifier,
} from '../../../shared/pki/public-key.ts';
import { refusal } from './support/errors.ts';
import { KEY_KINDS, keyPair, rsaSpki, spkiOf } from './support/keys.ts';
import { openOpensslDirectory } from './support/openssl.ts';
import { bitString, hex, integer, nothing, type Octets, oid, sequence, tlv } from './support/tlv.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

const RSA = '1.2.840.113549.1.1.1';
const EC = '1.2.840.10045.2.1';
const P256 = '1.2.840.10045.3.1.7';
const spki = (algorithm: Octets, key: Octets) => Uint8Array.from(sequence(algorithm, bitString(key)));
const refused = (reason: string, key: Uint8Array) =>
  refusal('InvalidInput', reason, () => readPublicKey(key));

/** The uncompressed point of a P-256 key: the last 65 bytes of its SubjectPublicKeyInfo. */
const point = keyPair('P-256').spki.slice(-65);

/** The SubjectPublicKeyInfo of a key that openssl wrote to key.pem with these options. */
function opensslSpki(...options: string[]): Uint8Array {
  openssl.run('ecparam', '-genkey', '-noout', '-out', 'key.pem', ...options);
  openssl.run('ec', '-in', 'key.pem', '-pubout', '-outform', 'DER', '-out', 'key.der', ...options.slice(2));
  return Uint8Array.from(Buffer.from(openssl.run('base64', '-A', '-in', 'key.der'), 'base64'));
}

describe('reading a public key', () => {
  for (const kind of KEY_KINDS) {
    it(`reads ${kind} and finds nothing wrong with it`, () => {
      const key = readPublicKey(keyPair(kind).spki);
      checkPublicKey(key);
      if (key.type === 'EC') assert.equal(key.curve, kind);
      else assert.deepEqual([`RSA-${key.bits}`, key.exponent], [kind, 65537n]);
    });
  }

  it('reads the modulus as a number', () => {
    const { n = '' } = keyPair('RSA-2048').publicKey.export({ format: 'jwk' });
    const key = readPublicKey(keyPair('RSA-2048').spki);
    assert.equal(
      key.type === 'RSA' && key.modulus,
      BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`),
    );
  });

  it('names the key types it does not take', () => {
    for (const type of ['ed25519', 'ed448', 'x25519'] as const) {
      const { publicKey } = generateKeyPairSync(type as 'ed25519');
      assert.match(
        refused('unsupported-key', spkiOf(publicKey)),
        new RegExp(`the key is ${type} \\(1\\.3`, 'i'),
      );
    }
    const { publicKey } = generateKeyPairSync('rsa-pss', { modulusLength: 2048 });
    assert.match(refused('unsupported-key', spkiOf(publicKey)), /RSASSA-PSS/);
    assert.match(
      refused('unsupported-key', spki(sequence(oid('1.2.3.4')), hex('00'))),
      /the key is 1\.2\.3\.4/,
    );
  });

  it('names the curves it does not take', () => {
    for (const curve of ['secp256k1', 'prime192v1', 'brainpoolP256r1']) {
      const { publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
      refused('unsupported-curve', spkiOf(publicKey));
    }
    assert.match(
      refused('unsupported-curve', opensslSpki('-name', 'secp256k1')),
      /secp256k1 \(1\.3\.132\.0\.10\)/,
    );
  });

  it('refuses P-256 given by its parameters', () => {
    refused('explicit-curve', opensslSpki('-name', 'prime256v1', '-param_enc', 'explicit'));
    refused('explicit-curve', spki(sequence(oid(EC), nothing()), point));
  });

  it('refuses a compressed point', () => {
    refused('compressed-point', opensslSpki('-name', 'prime256v1', '-conv_form', 'compressed'));
  });

  it('refuses points that are none: hybrid, infinite, short, long', () => {
    const onP256 = (key: Octets) => spki(sequence(oid(EC), oid(P256)), key);
    refused('malformed', opensslSpki('-name', 'prime256v1', '-conv_form', 'hybrid'));
    refused('malformed', onP256(hex('00')));
    refused('malformed', onP256(new Uint8Array()));
    refused('malformed', onP256(point.slice(0, -1)));
    refused('malformed', onP256(Buffer.concat([point, hex('00')])));
  });

  it('refuses coordinates that do not lie on the curve', () => {
    const off = Uint8Array.from(point);
    off[64] = (off[64] ?? 0) ^ 1;
    assert.match(
      refused('point-not-on-curve', spki(sequence(oid(EC), oid(P256)), off)),
      /not a point on P-256/,
    );
  });

  it('refuses algorithm parameters that do not belong there', () => {
    const key = sequence(integer('00bb'), integer('010001'));
    refused('malformed', spki(sequence(oid(RSA)), key));
    refused('malformed', spki(sequence(oid(RSA), oid(P256)), key));
    refused('malformed', spki(sequence(oid(RSA), nothing(), nothing()), key));
    refused('malformed', spki(sequence(oid(EC)), point));
    refused('malformed', spki(sequence(oid(EC), oid(P256), nothing()), point));
  });

  it('refuses RSA keys that are not two positive numbers', () => {
    const rsa = (key: Octets) => spki(sequence(oid(RSA), nothing()), key);
    refused('malformed', rsa(sequence(integer('00'), integer('010001'))));
    refused('malformed', rsa(sequence(integer('bb'), integer('010001'))));
    refused('malformed', rsa(sequence(integer('00bb'), integer('ff'))));
    refused('malformed', rsa(sequence(integer('00bb'))));
    refused('malformed', rsa(sequence(integer('00bb'), integer('03'), integer('03'))));
    refused('not-der', rsa(sequence(tlv(0x02, hex('000001')), integer('03'))));
  });

  it('refuses a SubjectPublicKeyInfo with too much or too little in it', () => {
    refused('malformed', Uint8Array.from(sequence(sequence(oid(EC), oid(P256)))));
    refused(
      'malformed',
      Uint8Array.from(sequence(sequence(oid(EC), oid(P256)), bitString(point), nothing())),
    );
    refused('trailing-data', Buffer.concat([keyPair('P-256').spki, hex('0500')]));
    refused('not-der', new Uint8Array());
  });
});

describe('checking a public key', () => {
  /** An odd number of exactly that many bits; its factors do not matter here. */
  const modulusOf = (bits: number) => (1n << BigInt(bits - 1)) + 1n;
  const refuseForm = (reason: string, key: Uint8Array) =>
    refusal('InvalidInput', reason, () => checkPublicKeyForm(readPublicKey(key)));

  it('takes RSA keys from 2048 to 4096 bits only', () => {
    assert.match(
      refuseForm('rsa-key-too-small', rsaSpki(modulusOf(1024))),
      /has 1024 bits, expected 2048 to 4096/,
    );
    refuseForm('rsa-key-too-small', rsaSpki(modulusOf(2040)));
    refuseForm('rsa-key-too-large', rsaSpki(modulusOf(4104)));
    checkPublicKeyForm(readPublicKey(rsaSpki(modulusOf(2048))));
    checkPublicKeyForm(readPublicKey(rsaSpki(modulusOf(4096))));
  });

  it('takes RSA keys of whole octets only', () => {
    refuseForm('rsa-key-odd-size', rsaSpki(modulusOf(2049)));
    refuseForm('rsa-key-odd-size', rsaSpki(modulusOf(3071)));
  });

  it('takes the exponent 65537 only', () => {
    for (const exponent of [1n, 3n, 17n, 65539n]) {
      assert.match(
        refuseForm('rsa-exponent', rsaSpki(modulusOf(2048), exponent)),
        new RegExp(`is ${exponent},`),
      );
    }
    assert.match(refuseForm('rsa-exponent', rsaSpki(modulusOf(2048), (1n << 64n) + 1n)), /above 2\^32/);
  });
});

describe('names of keys', () => {
  it('hashes the whole SubjectPublicKeyInfo', () => {
    const { spki: der } = keyPair('P-256');
    assert.equal(spkiHash(der), createHash('sha256').update(der).digest('hex'));
  });

  it('derives the key identifier from the bits of the key alone, RFC 7093 method 1', () => {
    // The octets inside the BIT STRING: an EC point, or an RSAPublicKey as PKCS#1 writes it.
    assert.deepEqual(
      subjectKeyIdentifier(keyPair('P-256').spki),
      Uint8Array.from(createHash('sha256').update(point).digest().subarray(0, 20)),
    );
    const { spki: rsa } = keyPair('RSA-2048');
    const pkcs1 = createPublicKey({ key: Buffer.from(rsa), format: 'der', type: 'spki' }).export({
      type: 'pkcs1',
      format: 'der',
    });
    assert.deepEqual(
      subjectKeyIdentifier(rsa),
      Uint8Array.from(createHash('sha256').update(pkcs1).digest().subarray(0, 20)),
    );
  });
});
