import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCertificate } from '../../../shared/pki/certificate.ts';
import { parseCertificateRequest } from '../../../shared/pki/certificate-request.ts';
import { lineExtensions, renewCountOf } from '../../../shared/pki/line-extensions.ts';
import { type RenewalProof, readRenewalProof } from '../../../shared/pki/renewal-request.ts';
import {
  keyCertificateOf,
  pemOf,
  type RenewalParts,
  renewalRequest,
} from '../../support/renewal-requests.ts';
import { refusal } from './support/errors.ts';
import { type CertificateParts, handCertificate } from './support/hand-certificate.ts';
import { type KeyKind, keyPair, newKeyPair, rsaSpki } from './support/keys.ts';
import { extension, pemRequest, requestDer } from './support/requests.ts';
import { integer, name, nothing, oid, sequence, utf8, yes } from './support/tlv.ts';

const NOW = new Date('2026-11-21T08:00:00Z');
const SUBJECT = name(['2.5.4.10', utf8('management')], ['2.5.4.3', utf8('NodeAgent')]);

function partsOf(kind: KeyKind = 'P-256', parts: Partial<RenewalParts> = {}): RenewalParts {
  const key = keyPair(kind);
  return {
    certificate: handCertificate({ key, subject: SUBJECT, serialNumber: '0123' }),
    key,
    identity: { cluster: 'management', name: 'NodeAgent' },
    newKey: keyPair(kind, 'next'),
    now: NOW,
    ...parts,
  };
}

function read(parts: RenewalParts): RenewalProof {
  const proof = readRenewalProof(parseCertificateRequest(renewalRequest(parts)));
  assert.ok(proof !== null);
  return proof;
}

for (const kind of ['RSA-2048', 'P-256'] as const) {
  test(`A request that an ${kind} key vouches for names the certificate to renew and the moment`, () => {
    const parts = partsOf(kind);
    const proof = read(parts);
    assert.deepEqual(Buffer.from(proof.certificate.der), Buffer.from(parts.certificate));
    assert.deepEqual(proof.madeAt, NOW);
    assert.equal(proof.verify(), true);
  });
}

test('The same key may vouch for itself, and issuers behind the certificate mean nothing', () => {
  const key = keyPair('P-256');
  assert.equal(read(partsOf('P-256', { newKey: key })).verify(), true);
  assert.equal(read(partsOf('P-256', { issuers: [handCertificate()] })).verify(), true);
});

test('A throw-away certificate may have ended: the certificate that it speaks of may have, too', () => {
  const keyCertificate = { notAfter: new Date('2026-01-02T00:00:00Z') };
  assert.equal(read(partsOf('P-256', { keyCertificate })).verify(), true);
});

test('A request without the extension holds no proof', () => {
  const plain = pemRequest(requestDer({ extensions: [extension('2.5.29.15', nothing())] }));
  assert.equal(readRenewalProof(parseCertificateRequest(plain)), null);
});

test('Another key’s signature does not verify', () => {
  assert.equal(read(partsOf('P-256', { key: newKeyPair('P-256') })).verify(), false);
  assert.equal(read(partsOf('P-256', { key: keyPair('RSA-2048') })).verify(), false);
});

test('A throw-away certificate signed over SHA-1 is refused', () => {
  const signatureAlgorithm = sequence(oid('1.2.840.113549.1.1.5'), nothing());
  const proof = read(partsOf('RSA-2048', { keyCertificate: { signatureAlgorithm, hash: 'sha1' } }));
  refusal('InvalidInput', 'weak-digest', () => proof.verify());
});

test('What is no throw-away certificate for this key and this certificate is refused', () => {
  const refused: Record<string, CertificateParts> = {
    'another name': { subject: name(['2.5.4.3', utf8('CSR key')]) },
    'another serial number': { serialNumber: '02' },
    'an authority': { extensions: [extension('2.5.29.19', sequence(yes()), true)] },
    'another key': { key: keyPair('P-256', 'somebody') },
    'another issuer': { issuer: name(['2.5.4.3', utf8('NodeAgent')]) },
  };
  for (const keyCertificate of Object.values(refused)) {
    refusal('InvalidInput', 'malformed', () => read(partsOf('P-256', { keyCertificate })));
  }
});

test('An extension that is not two certificates in PEM is refused', () => {
  const parts = partsOf();
  const throwAway = pemOf(keyCertificateOf(parts));
  const old = pemOf(parts.certificate);
  const refused: [string[], string][] = [
    [[], 'malformed'],
    [[throwAway], 'malformed'],
    [[old, throwAway], 'malformed'],
    [['certificates', old], 'not-pem'],
    [[throwAway, pemRequest(parts.certificate)], 'wrong-pem-label'],
    [[throwAway, pemOf(parts.certificate.subarray(0, 50))], 'not-der'],
  ];
  for (const [blocks, reason] of refused) {
    refusal('InvalidInput', reason, () => read(partsOf('P-256', { blocks })));
  }
});

test('A certificate whose key Everleaf would never have certified is refused before it verifies anything', () => {
  const spki = rsaSpki(2n ** 8191n + 1n, 2n ** 4000n + 1n);
  const certificate = handCertificate({ key: { ...keyPair('P-256'), spki }, subject: SUBJECT });
  refusal('InvalidInput', 'rsa-key-too-large', () => read(partsOf('P-256', { certificate })));
});

test('A renewed certificate says how many renewals led to it and which was the first', () => {
  const original = handCertificate({ key: keyPair('P-256') });
  for (const count of [1, 127, 128, 255, 256, 65_536]) {
    const extensions = lineExtensions(count, original);
    const written = extensions.map(({ oid: type, value }) => extension(type, value));
    const renewed = parseCertificate(handCertificate({ extensions: written }));
    assert.equal(renewCountOf(renewed), count);
    const first = renewed.extensions.get('1.3.6.1.4.1.311.104.1.2')?.value;
    assert.deepEqual(Buffer.from(first ?? []), Buffer.from(original));
  }
  const [, one] = lineExtensions(1, original);
  assert.deepEqual(Buffer.from(one?.value ?? []), Buffer.from(integer('01')));
  assert.equal(renewCountOf(parseCertificate(original)), 0);
});
