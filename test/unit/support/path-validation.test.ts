/** The tests' own path validation and `openssl verify` are of one mind about every chain here. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { type AuthorityInput, buildAuthorityTbs } from '../../../shared/pki/authority-certificate.ts';
import { buildLeafTbs, type LeafInput } from '../../../shared/pki/leaf-certificate.ts';
import { encodePem } from '../../../shared/pki/pem.ts';
import { opensslAccepts } from '../../support/openssl-verify.ts';
import { acceptedPeriods, readCertificates, type Use } from '../../support/path-validation.ts';
import { authorityInput, leafInput, makeAuthority, type TestAuthority } from '../pki/support/authority.ts';
import { keyPair, newKeyPair } from '../pki/support/keys.ts';
import { openOpensslDirectory } from '../pki/support/openssl.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

const pem = (der: Uint8Array) => encodePem('CERTIFICATE', der);
const authority = (id: number) => makeAuthority('P-256', `Everleaf authority ${id}`, newKeyPair('P-256'));
const pemOf = ({ certificate }: TestAuthority) => pem(certificate.der);

/** `signed`, certified by `by`. */
function cross(by: TestAuthority, signed: TestAuthority, changes: Partial<AuthorityInput> = {}): string {
  const { subjectDer, subjectKeyId } = by.certificate;
  const input = {
    ...authorityInput(signed.key),
    subjectDer: signed.certificate.subjectDer,
    pathLength: 0,
    issuer: { subjectDer, subjectKeyId: subjectKeyId ?? new Uint8Array() },
    signatureAlgorithm: by.signatureAlgorithm,
    ...changes,
  };
  return pem(by.issue(buildAuthorityTbs(input)));
}

function leafOf(by: TestAuthority, changes: Partial<LeafInput> = {}): string {
  return pem(by.issue(buildLeafTbs(leafInput(by, keyPair('P-256'), changes))));
}

/** Another name than the one that signed stands in it, with the right key identifier. */
function misnamed(by: TestAuthority, named: TestAuthority): string {
  const { subjectDer } = named.certificate;
  const subjectKeyId = by.certificate.subjectKeyId ?? new Uint8Array();
  return leafOf(by, { issuer: { subjectDer, subjectKeyId } });
}

const [a, b, c, d] = [authority(1), authority(2), authority(3), authority(4)];
const leaf = leafOf(a);
/** One bit of the signature, the very last, is another. */
const signed = a.issue(buildLeafTbs(leafInput(a, keyPair('P-256'))));
const damaged = pem(signed.map((byte, at) => (at === signed.length - 1 ? byte ^ 1 : byte)));

const DURING = '2026-06-01T00:00:00Z';

interface Case {
  readonly leaf: string;
  readonly chain?: readonly string[];
  readonly anchors: readonly string[];
  readonly use?: Use;
  readonly at?: string;
  readonly accepted: boolean;
}

const early = { notAfter: new Date('2026-05-31T23:59:59Z') };

const CASES: Readonly<Record<string, Case>> = {
  'a leaf of the anchor': { leaf, anchors: [pemOf(a)], accepted: true },
  'a leaf of one of several anchors': { leaf, anchors: [pemOf(b), pemOf(a)], accepted: true },
  'a leaf of another authority': { leaf, anchors: [pemOf(b)], accepted: false },
  'a leaf with a damaged signature': { leaf: damaged, anchors: [pemOf(a)], accepted: false },
  'a leaf that names another issuer': {
    leaf: misnamed(a, b),
    anchors: [pemOf(a), pemOf(b)],
    accepted: false,
  },
  'the end of a leaf': { leaf, anchors: [pemOf(a)], at: '2026-07-29T23:59:58Z', accepted: true },
  'its last second': { leaf, anchors: [pemOf(a)], at: '2026-07-29T23:59:59Z', accepted: false },
  'the first second of a leaf': { leaf, anchors: [pemOf(a)], at: '2026-04-30T23:55:00Z', accepted: true },
  'the second before it': { leaf, anchors: [pemOf(a)], at: '2026-04-30T23:54:59Z', accepted: false },
  'a client that serves': { leaf, anchors: [pemOf(a)], use: 'server', accepted: false },
  'a server': { leaf: leafOf(a, { server: true }), anchors: [pemOf(a)], use: 'server', accepted: true },
  'a cross certificate': { leaf: leafOf(b), chain: [cross(a, b)], anchors: [pemOf(a)], accepted: true },
  'a missing cross certificate': { leaf: leafOf(b), anchors: [pemOf(a)], accepted: false },
  'a cross certificate beside the anchor': {
    leaf: leafOf(b),
    chain: [cross(a, b, early)],
    anchors: [pemOf(b)],
    accepted: true,
  },
  'a cross certificate that has ended': {
    leaf: leafOf(b),
    chain: [cross(a, b, early)],
    anchors: [pemOf(a)],
    accepted: false,
  },
  'one of two cross certificates that has ended': {
    leaf: leafOf(b),
    chain: [cross(a, b, early), cross(c, b)],
    anchors: [pemOf(a), pemOf(c)],
    accepted: true,
  },
  'two cross certificates above each other, longer than the lower path allows': {
    leaf: leafOf(c),
    chain: [cross(b, c), cross(a, b)],
    anchors: [pemOf(a)],
    accepted: false,
  },
  'three that the authorities allow, and not the anchor': {
    leaf: leafOf(d),
    chain: [cross(c, d), cross(b, c, { pathLength: 1 }), cross(a, b, { pathLength: 2 })],
    anchors: [pemOf(a)],
    accepted: false,
  },
  'a chain whose signer is a leaf': { leaf: leafOf(a), chain: [leaf], anchors: [leaf], accepted: false },
};

describe('path validation of the tests', () => {
  for (const [what, { leaf, chain = [], anchors, use = 'client', at = DURING, accepted }] of Object.entries(
    CASES,
  )) {
    it(`${accepted ? 'accepts' : 'refuses'} ${what}, as openssl does`, () => {
      const [certificate] = readCertificates(leaf);
      assert.ok(certificate !== undefined);
      const [sent, trusted] = [readCertificates(chain.join('')), readCertificates(anchors.join(''))];
      const moment = Date.parse(at);
      const periods = acceptedPeriods(certificate, sent, trusted, use);
      assert.equal(
        periods.some(({ from, to }) => from <= moment && moment < to),
        accepted,
      );
      const asked = { leaf, chain: chain.join(''), anchors: anchors.join(''), use, at: new Date(moment) };
      assert.equal(opensslAccepts(openssl, asked), accepted);
    });
  }
});
