import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCertifiedJws } from '../../../shared/pki/jws.ts';
import { base64UrlJson, makeProof, type ProofParts, signJws } from '../../support/proofs.ts';
import { refusal } from './support/errors.ts';
import { handCertificate } from './support/hand-certificate.ts';
import { KEY_KINDS, type KeyKind, keyPair, newKeyPair, rsaSpki } from './support/keys.ts';

const NOW = new Date('2026-11-21T08:00:00Z');

function proofOf(kind: KeyKind, parts: Partial<ProofParts> = {}): string {
  const key = keyPair(kind);
  return makeProof({ certificate: handCertificate({ key }), key, path: '/api/x', now: NOW, ...parts });
}

const ALGORITHMS: Readonly<Record<KeyKind, readonly string[]>> = {
  'P-256': ['ES256'],
  'P-384': ['ES384'],
  'P-521': ['ES512'],
  'RSA-2048': ['RS256', 'PS256'],
  'RSA-3072': ['RS256', 'PS256'],
  'RSA-4096': ['RS256', 'PS256'],
};

for (const kind of KEY_KINDS) {
  for (const alg of ALGORITHMS[kind]) {
    test(`A JWS signed by an ${kind} key with ${alg} verifies, and says what was signed`, () => {
      const jws = readCertifiedJws(proofOf(kind, { alg }));
      assert.equal(jws.verify(), true);
      assert.deepEqual(jws.certificate.spki, Uint8Array.from(keyPair(kind).spki));
      assert.equal(jws.claims['htu'], 'https://everleaf.test/api/x');
    });
  }
  test(`No other algorithm is taken for an ${kind} key`, () => {
    const others = ['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'PS256', 'PS512', 'HS256', 'none', 'EdDSA'];
    const refused = [...others, 'es256', 'constructor', '__proto__', '', 7, null, undefined];
    for (const alg of refused.filter((name) => !ALGORITHMS[kind].includes(String(name)))) {
      const refusing = () => readCertifiedJws(proofOf(kind, { header: { alg } }));
      refusal('InvalidInput', 'unsupported-signature-algorithm', refusing);
    }
  });
}

test('A signature by another key, over another text or of another length does not verify', () => {
  const [header = '', payload = '', signature = ''] = proofOf('P-256').split('.');
  const other = signJws('ES256', `${header}.${payload}`, newKeyPair('P-256')).toString('base64url');
  const texts = [
    `${header}.${payload}.${other}`,
    `${header}.${base64UrlJson({ htm: 'POST' })}.${signature}`,
    `${header}.${payload}.${Buffer.from(signature, 'base64url').subarray(2).toString('base64url')}`,
    `${header}.${payload}.${Buffer.from(`${signature}AAAA`, 'base64url').toString('base64url')}`,
    `${header}.${payload}.`,
  ];
  for (const text of texts) assert.equal(readCertifiedJws(text).verify(), false, text);
});

test('A PKCS#1 signature is no PSS signature', () => {
  const [header = '', payload = ''] = proofOf('RSA-2048', { alg: 'PS256' }).split('.');
  const signature = signJws('RS256', `${header}.${payload}`, keyPair('RSA-2048')).toString('base64url');
  assert.equal(readCertifiedJws(`${header}.${payload}.${signature}`).verify(), false);
});

test('The certificate stands in x5c alone, in canonical base64', () => {
  const der = Buffer.from(handCertificate()).toString('base64');
  for (const x5c of [
    undefined,
    der,
    [],
    [der, der],
    [7],
    [`${der}\n`],
    [der.replace(/=*$/, '====')],
    [null],
  ]) {
    refusal('InvalidInput', 'malformed', () => readCertifiedJws(proofOf('P-256', { header: { x5c } })));
  }
  const cut = Buffer.from(handCertificate().subarray(0, 100)).toString('base64');
  refusal('InvalidInput', null, () => readCertifiedJws(proofOf('P-256', { header: { x5c: [cut] } })));
});

test('A header with critical extensions is refused, whatever they are', () => {
  for (const crit of [['b64'], [], null]) {
    refusal('InvalidInput', 'malformed', () => readCertifiedJws(proofOf('P-256', { header: { crit } })));
  }
});

test('Three parts of canonical base64url are read and nothing else', () => {
  const good = proofOf('P-256');
  const [header = '', payload = '', signature = ''] = good.split('.');
  const texts = [
    '',
    'a',
    '..',
    `${header}.${payload}`,
    `${good}.`,
    `${good}=`,
    ` ${good}`,
    `${good}\n`,
    `${header}=.${payload}.${signature}`,
    `${header}.${payload}=.${signature}`,
    `${Buffer.from('null').toString('base64url')}.${payload}.${signature}`,
    `${header}.${base64UrlJson([])}.${signature}`,
    `${header}.${base64UrlJson('text')}.${signature}`,
    `${header}.${Buffer.from('{').toString('base64url')}.${signature}`,
    `${header}.${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.${signature}`,
  ];
  for (const text of texts) {
    refusal('InvalidInput', 'malformed', () => readCertifiedJws(text));
  }
});

test('A header of more than 8 KiB and claims of more than 2 KiB are refused before they are read', () => {
  const large = (length: number) => 'a'.repeat(length);
  assert.equal(readCertifiedJws(proofOf('P-256', { header: { pad: large(7000) } })).verify(), true);
  const header = () => readCertifiedJws(proofOf('P-256', { header: { pad: large(8192) } }));
  refusal('InvalidInput', 'too-large', header);
  const claims = () => readCertifiedJws(proofOf('P-256', { claims: { pad: large(2048) } }));
  refusal('InvalidInput', 'too-large', claims);
});

test('A key that Everleaf would never have certified is refused before it verifies anything', () => {
  const huge = rsaSpki(2n ** 8191n + 1n, 2n ** 4000n + 1n);
  const certificate = handCertificate({ key: { ...keyPair('RSA-2048'), spki: huge } });
  const refusing = () => readCertifiedJws(proofOf('RSA-2048', { certificate }));
  refusal('InvalidInput', 'rsa-key-too-large', refusing);
});
