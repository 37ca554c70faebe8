import assert from 'node:assert/strict';
import { createHash, sign, verify } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeDer, parseDer } from '../../../shared/pki/der-reader.ts';
import { readPublicKey } from '../../../shared/pki/public-key.ts';
import {
  assembleCertificate,
  digestFor,
  ecdsaRawToDer,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithmName,
  signatureAlgorithmFor,
  writeSignatureAlgorithm,
} from '../../../shared/pki/signature.ts';
import { readSignatureScheme, verifySignature } from '../../../shared/pki/signature-scheme.ts';
import { refusal } from './support/errors.ts';
import { KEY_KINDS, type KeyKind, keyPair } from './support/keys.ts';
import { context, integer, nothing, type Octets, oid, sequence } from './support/tlv.ts';

const NAMES = Object.keys(SIGNATURE_ALGORITHMS) as SignatureAlgorithmName[];
const data = Buffer.from('what is signed');
const CURVES: readonly KeyKind[] = ['P-256', 'P-384', 'P-521'];

const SHA1 = '1.3.14.3.2.26';
const SHA256 = '2.16.840.1.101.3.4.2.1';
const SHA512 = '2.16.840.1.101.3.4.2.3';
const MGF1 = '1.2.840.113549.1.1.8';
const PSS = '1.2.840.113549.1.1.10';
const hashOf = (type: string) => sequence(oid(type), nothing());
const pss = (...fields: Octets[]) => sequence(oid(PSS), sequence(...fields));
const pssWith = (hash: string, mask: string, salt = '20') =>
  pss(context(0, hashOf(hash)), context(1, sequence(oid(MGF1), hashOf(mask))), context(2, integer(salt)));
const schemeOf = (der: Octets) => readSignatureScheme(parseDer(der));
const refused = (reason: string, der: Octets) => refusal('InvalidInput', reason, () => schemeOf(der));

describe('ECDSA signatures of Key Vault', () => {
  for (const curve of CURVES) {
    it(`become signatures that node:crypto verifies, for ${curve}`, () => {
      const { privateKey, publicKey } = keyPair(curve);
      for (let round = 0; round < 50; round += 1) {
        const message = Buffer.from(`message ${round}`);
        const raw = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
        assert.ok(verify('sha256', message, { key: publicKey, dsaEncoding: 'der' }, ecdsaRawToDer(raw)));
      }
    });
  }

  it('are written as two positive numbers in the shortest form, whatever their leading octets', () => {
    const half = fc.uint8Array({ minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(half, half, fc.nat(31), (r, s, zeros) => {
        r.fill(0, 0, zeros);
        const der = ecdsaRawToDer(Buffer.concat([r, s]));
        const numbers = (parseDer(der).value as { value: string }[]).map(({ value }) =>
          BigInt(`0x${Buffer.from(value, 'latin1').toString('hex')}`),
        );
        const expected = [r, s].map((part) => BigInt(`0x${Buffer.from(part).toString('hex')}`));
        assert.deepEqual(numbers, expected);
      }),
    );
  });

  it('are refused at any other length', () => {
    for (const length of [0, 63, 65, 70, 128, 133]) {
      refusal('Internal', null, () => ecdsaRawToDer(new Uint8Array(length)));
    }
  });
});

describe('signature algorithms', () => {
  it('digest with the hash of their name', () => {
    assert.deepEqual(digestFor('ES256', data), Uint8Array.from(createHash('sha256').update(data).digest()));
    assert.deepEqual(digestFor('RS384', data), Uint8Array.from(createHash('sha384').update(data).digest()));
    assert.deepEqual(digestFor('ES512', data), Uint8Array.from(createHash('sha512').update(data).digest()));
  });

  it('are chosen by the key', () => {
    const chosen = KEY_KINDS.map((kind) => signatureAlgorithmFor(readPublicKey(keyPair(kind).spki)));
    assert.deepEqual(chosen, ['RS256', 'RS256', 'RS256', 'ES256', 'ES384', 'ES512']);
  });

  it('are read as what was written', () => {
    for (const name of NAMES) {
      const { hash, keyType } = SIGNATURE_ALGORITHMS[name];
      const scheme = schemeOf(encodeDer(writeSignatureAlgorithm(name)));
      assert.deepEqual([scheme.hash, scheme.keyType], [hash, keyType]);
    }
  });

  it('have NULL parameters for RSA and none for ECDSA', () => {
    const written = (name: SignatureAlgorithmName) => Buffer.from(encodeDer(writeSignatureAlgorithm(name)));
    assert.deepEqual(written('RS256'), sequence(oid('1.2.840.113549.1.1.11'), nothing()));
    assert.deepEqual(written('ES256'), sequence(oid('1.2.840.10045.4.3.2')));
  });

  it('verify what the key signed, and nothing else', () => {
    for (const kind of KEY_KINDS) {
      const { privateKey, spki } = keyPair(kind);
      const scheme = schemeOf(encodeDer(writeSignatureAlgorithm(signatureAlgorithmFor(readPublicKey(spki)))));
      const signature = sign(scheme.hash, data, privateKey);
      assert.equal(verifySignature(scheme, spki, data, signature), true);
      assert.equal(verifySignature(scheme, spki, Buffer.from('something else'), signature), false);
      signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
      assert.equal(verifySignature(scheme, spki, data, signature), false);
      assert.equal(verifySignature(scheme, spki, data, new Uint8Array()), false);
    }
  });

  it('do not verify with a key of another type', () => {
    const scheme = schemeOf(encodeDer(writeSignatureAlgorithm('ES256')));
    const signature = sign('sha256', data, keyPair('RSA-2048').privateKey);
    assert.equal(verifySignature(scheme, keyPair('RSA-2048').spki, data, signature), false);
  });

  it('accept RSA without its NULL, as RFC 4055 demands', () => {
    assert.equal(schemeOf(sequence(oid('1.2.840.113549.1.1.11'))).kind, 'RSA-PKCS1');
  });

  it('name the digest they find too weak', () => {
    const weak: [string, RegExp][] = [
      ['1.2.840.113549.1.1.4', /the digest MD5,/],
      ['1.2.840.113549.1.1.5', /the digest SHA-1,/],
      ['1.2.840.113549.1.1.14', /the digest SHA-224,/],
      ['1.2.840.10045.4.1', /the digest SHA-1,/],
      ['1.2.840.10045.4.3.1', /the digest SHA-224,/],
    ];
    for (const [type, sentence] of weak) assert.match(refused('weak-digest', sequence(oid(type))), sentence);
  });

  it('refuse algorithms they do not know, and parameters where none belong', () => {
    assert.match(
      refused('unsupported-signature-algorithm', sequence(oid('1.3.101.112'))),
      /is 1\.3\.101\.112/,
    );
    refused('malformed', sequence(oid('1.2.840.10045.4.3.2'), nothing()));
    refused('malformed', sequence(oid('1.2.840.113549.1.1.11'), sequence()));
    refused('malformed', sequence());
  });
});

describe('RSASSA-PSS', () => {
  it('reads hash and salt length and verifies such a signature', () => {
    const { privateKey, spki } = keyPair('RSA-2048');
    const scheme = schemeOf(pssWith(SHA256, SHA256, '20'));
    assert.deepEqual(scheme, { kind: 'RSA-PSS', keyType: 'RSA', hash: 'sha256', saltBytes: 32 });
    const signature = sign('sha256', data, { key: privateKey, padding: 6, saltLength: 32 });
    assert.equal(verifySignature(scheme, spki, data, signature), true);
    assert.equal(
      verifySignature({ ...scheme, saltBytes: 20 } as typeof scheme, spki, data, signature),
      false,
    );
    assert.equal(
      verifySignature({ ...scheme, saltBytes: 512 } as typeof scheme, spki, data, signature),
      false,
    );
  });

  it('takes the default salt of 20 bytes when none is given', () => {
    const scheme = schemeOf(pss(context(0, hashOf(SHA512)), context(1, sequence(oid(MGF1), hashOf(SHA512)))));
    assert.deepEqual(scheme, { kind: 'RSA-PSS', keyType: 'RSA', hash: 'sha512', saltBytes: 20 });
  });

  it('refuses its defaults, which are SHA-1, and SHA-1 by name', () => {
    refused('weak-digest', pss());
    refused('weak-digest', pss(context(0, hashOf(SHA256))));
    assert.match(refused('weak-digest', pssWith(SHA1, SHA1)), /the digest SHA-1,/);
    refused('weak-digest', pssWith('1.2.3', '1.2.3'));
  });

  it('refuses masks that are not MGF1 with the same hash', () => {
    refused('unsupported-signature-algorithm', pssWith(SHA256, SHA512));
    const other = context(1, sequence(oid('1.2.3'), hashOf(SHA256)));
    refused('unsupported-signature-algorithm', pss(context(0, hashOf(SHA256)), other));
  });

  it('refuses salt lengths that no key can have, and fields that do not belong there', () => {
    refused('malformed', pssWith(SHA256, SHA256, 'ff'));
    refused('malformed', pssWith(SHA256, SHA256, '0201'));
    refused('malformed', pssWith(SHA256, SHA256, '0100000000'));
    refused('malformed', pss(context(0, hashOf(SHA256)), context(3, integer('01'))));
    refused('malformed', sequence(oid(PSS)));
    refused(
      'malformed',
      pss(context(0, hashOf(SHA256), nothing()), context(1, sequence(oid(MGF1), hashOf(SHA256)))),
    );
  });
});

describe('putting a certificate together', () => {
  const tbs = sequence(integer('01'));

  it('keeps the signed bytes as they are', () => {
    const der = assembleCertificate(tbs, 'RS256', new Uint8Array(256).fill(1));
    assert.ok(Buffer.from(der).includes(Buffer.from(tbs)));
  });

  it('refuses a signature whose length is not the algorithm’s', () => {
    refusal('Internal', null, () => assembleCertificate(tbs, 'ES256', new Uint8Array(71)));
    refusal('Internal', null, () => assembleCertificate(tbs, 'ES384', new Uint8Array(64)));
    refusal('Internal', null, () => assembleCertificate(tbs, 'RS256', new Uint8Array(64)));
  });
});
