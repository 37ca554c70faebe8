import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import { buildLeafTbs } from '../../../shared/pki/leaf-certificate.ts';
import { publicKeyDigest } from '../../../shared/pki/ocsp-cert-id.ts';
import { parseOcspRequest } from '../../../shared/pki/ocsp-request.ts';
import {
  assembleOcspResponse,
  buildOcspResponseData,
  OCSP_ERRORS,
  type OcspCertStatus,
  type OcspErrorStatus,
  ocspError,
} from '../../../shared/pki/ocsp-response.ts';
import {
  type ParsedOcspResponse,
  parseOcspResponse,
  verifyOcspResponse,
} from '../../../shared/pki/ocsp-response-reader.ts';
import { encodePem } from '../../../shared/pki/pem.ts';
import { DURING, leafInput, makeAuthority } from './support/authority.ts';
import { REVOKED_AT } from './support/crls.ts';
import { refusal } from './support/errors.ts';
import { type KeyKind, keyPair } from './support/keys.ts';
import { answer, certId, NONCE, rawExtension } from './support/ocsp.ts';
import { openOpensslDirectory } from './support/openssl.ts';
import {
  bitString,
  context,
  hex,
  implicit,
  nothing,
  type Octets,
  octetString,
  oid,
  sequence,
  tlv,
} from './support/tlv.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

const authority = makeAuthority();
const dates = {
  thisUpdate: new Date('2026-06-01T00:00:00Z'),
  nextUpdate: new Date('2026-06-04T00:00:00Z'),
};
const revoked: OcspCertStatus = { kind: 'revoked', revokedAt: REVOKED_AT, reason: 'keyCompromise' };
const STATUSES: readonly OcspCertStatus[] = [
  { kind: 'good' },
  { kind: 'unknown' },
  revoked,
  { kind: 'revoked', revokedAt: REVOKED_AT, reason: 'unspecified' },
  { kind: 'revoked', revokedAt: REVOKED_AT, reason: 'privilegeWithdrawn' },
];

function parsed(der: Uint8Array): ParsedOcspResponse {
  const response = parseOcspResponse(der);
  assert.ok(response.status === 'successful');
  return response;
}

describe('an OCSP response', () => {
  const pairs: [KeyKind, KeyKind][] = [
    ['P-256', 'P-256'],
    ['RSA-2048', 'P-256'],
    ['P-384', 'RSA-2048'],
  ];
  for (const [kind, responderKind] of pairs) {
    it(`of a delegated responder is believed by openssl, with the keys ${kind} and ${responderKind}`, () => {
      const signer = makeAuthority(kind);
      const leaf = signer.issue(buildLeafTbs(leafInput(signer, keyPair('P-256'))));
      const issuer = openssl.write('issuer.pem', encodePem('CERTIFICATE', signer.certificate.der));
      const cert = openssl.write('leaf.pem', encodePem('CERTIFICATE', leaf));
      const asked = ['-issuer', issuer, '-cert', cert, '-serial', '0x77', '-no_nonce'];
      openssl.run('ocsp', ...asked, '-nonce', '-reqout', openssl.path('request.der'));
      const { certIds, nonce } = parseOcspRequest(readFileSync(openssl.path('request.der')));
      const key = keyPair(responderKind, 'responder');
      const write = (name: string, nonceOfAnswer: Uint8Array | null, status: OcspCertStatus) => {
        const statuses = [status, { kind: 'unknown' } as const];
        const responses = certIds.map(({ der }, i) => ({
          ...{ certIdDer: der, status: statuses[i] ?? status },
          ...dates,
        }));
        const der = answer(signer, { responses, nonce: nonceOfAnswer }, key);
        assert.ok(verifyOcspResponse(parsed(der), key.spki));
        return openssl.write(name, der);
      };
      const trust = ['-CAfile', issuer, '-attime', DURING];
      // Years of tolerance, since the age of an answer is measured with the clock of the machine.
      const check = (file: string) =>
        openssl.attempt('ocsp', '-respin', file, ...asked, '-validity_period', '3000000000', ...trust).output;
      // Against the request itself openssl compares the nonces, and shows no status.
      const checkNonce = (file: string) =>
        openssl.attempt('ocsp', '-respin', file, '-reqin', openssl.path('request.der'), ...trust).output;
      const good = write('good.der', nonce, { kind: 'good' });
      assert.match(checkNonce(good), /Response verify OK/);
      assert.match(checkNonce(write('replayed.der', Uint8Array.of(1), revoked)), /Nonce Verify error/);
      const cached = check(write('cached.der', null, { kind: 'good' }));
      assert.match(cached, /Response verify OK/);
      assert.match(cached, /leaf\.pem: good\s+This Update: Jun {2}1 .*\s+Next Update: Jun {2}4 /);
      assert.match(cached, /0x77: unknown/);
      const refused = check(write('revoked.der', null, revoked));
      assert.match(refused, /Response verify OK/);
      assert.match(
        refused,
        /leaf\.pem: revoked\s+.*\s+.*\s+Reason: keyCompromise\s+Revocation Time: May 20 10:11:12/,
      );
    });
  }

  it('is not believed when an authority of another name delegates', () => {
    const other = makeAuthority('P-256', 'another', keyPair('P-256', 'another'));
    const issuer = openssl.write('issuer.pem', encodePem('CERTIFICATE', authority.certificate.der));
    const leaf = authority.issue(buildLeafTbs(leafInput(authority, keyPair('P-256'))));
    const cert = openssl.write('leaf.pem', encodePem('CERTIFICATE', leaf));
    openssl.run('ocsp', '-issuer', issuer, '-cert', cert, '-reqout', openssl.path('request.der'));
    const { certIds } = parseOcspRequest(readFileSync(openssl.path('request.der')));
    const responses = certIds.map(({ der }) => ({
      ...{ certIdDer: der, status: { kind: 'good' } as const },
      ...dates,
    }));
    const file = openssl.write('foreign.der', answer(other, { responses, nonce: null }));
    const { output, succeeded } = openssl.attempt(
      ...['ocsp', '-respin', file, '-issuer', issuer, '-cert', cert, '-CAfile', issuer, '-attime', DURING],
    );
    assert.match(output, /Response Verify Failure/);
    assert.equal(succeeded, false);
  });

  it('is read as what was written', () => {
    const responses = STATUSES.map((status, i) => ({
      ...{ certIdDer: certId({ serial: `0${i + 1}` }), status },
      ...{ thisUpdate: dates.thisUpdate, nextUpdate: i % 2 === 0 ? null : dates.nextUpdate },
    }));
    const key = keyPair('P-256', 'responder');
    for (const nonce of [null, Uint8Array.of(5)]) {
      const response = parsed(answer(authority, { responses, nonce }));
      assert.deepEqual(
        response.responses.map((one) => ({ ...one, certIdDer: Buffer.from(one.certIdDer) })),
        responses,
      );
      assert.deepEqual(response.nonce, nonce);
      assert.deepEqual(response.producedAt, new Date('2026-06-01T00:00:00Z'));
      assert.deepEqual(response.responderKeyHash, publicKeyDigest(key.spki, 'sha1'));
      assert.equal(response.certificates.length, 1);
      assert.equal(verifyOcspResponse(response, key.spki), true);
      assert.equal(verifyOcspResponse(response, authority.key.spki), false);
    }
  });

  it('cuts the moment of a revocation down to the second', () => {
    const status = { ...revoked, revokedAt: new Date(REVOKED_AT.getTime() + 999) };
    const response = parsed(
      answer(authority, { responses: [{ certIdDer: certId(), status, ...dates }], nonce: null }),
    );
    assert.deepEqual(response.responses[0]?.status, revoked);
  });

  it('may come without certificates, and without signature when it is an error', () => {
    const tbs = buildOcspResponseData({
      ...{ responderKeyHash: new Uint8Array(20), producedAt: dates.thisUpdate },
      ...{ responses: [], nonce: null },
    });
    assert.deepEqual(
      parsed(assembleOcspResponse(tbs, 'ES256', new Uint8Array(64).fill(1), [])).certificates,
      [],
    );
    refusal('Internal', null, () => assembleOcspResponse(tbs, 'ES256', new Uint8Array(63), []));
    for (const status of Object.keys(OCSP_ERRORS) as OcspErrorStatus[]) {
      assert.deepEqual(parseOcspResponse(ocspError(status)), { status });
      const { output } = openssl.attempt('ocsp', '-respin', openssl.write('error.der', ocspError(status)));
      assert.match(output, new RegExp(`Responder Error: ${status.toLowerCase()} `));
    }
  });
});

/** An answer by hand. */
interface Parts {
  readonly status?: Octets;
  readonly type?: string;
  readonly responder?: Octets;
  readonly certStatus?: Octets;
  readonly behind?: Octets;
  readonly extensions?: Octets;
  readonly algorithm?: Octets;
  readonly certs?: Octets;
}
const none = hex('');
const time = (text: string) => tlv(0x18, Buffer.from(text));
const NOW = time('20260601000000Z');

function byHand(parts: Parts = {}): Octets {
  const {
    status = tlv(0x0a, hex('00')),
    type = '1.3.6.1.5.5.7.48.1.1',
    extensions = none,
    certs = none,
  } = parts;
  const { responder = context(2, octetString(hex('01'))), algorithm = sequence(oid('1.2.840.10045.4.3.2')) } =
    parts;
  const one = sequence(certId(), parts.certStatus ?? implicit(0, none), NOW, parts.behind ?? none);
  const data = sequence(responder, NOW, sequence(one), extensions);
  const basic = sequence(data, algorithm, bitString(none), certs);
  return sequence(status, context(0, sequence(oid(type), octetString(basic))));
}
const refuse = (parts: Parts, clause: RegExp, reason = 'malformed') =>
  assert.match(
    refusal('InvalidInput', reason, () => parseOcspResponse(byHand(parts))),
    clause,
  );

describe('reading an OCSP response', () => {
  it('takes the one that the refusals below are changes of', () => {
    assert.equal(parsed(byHand()).responses.length, 1);
  });

  it('refuses a status that does not fit what is in it', () => {
    refuse({ status: tlv(0x0a, hex('01')) }, /status 1, which does not fit/);
    refuse({ status: tlv(0x0a, hex('ff')) }, /not a value of 0 to 127/);
    refuse({ status: tlv(0x0a, hex('0100')) }, /not a value of 0 to 127/);
    refuse({ status: tlv(0x0a, hex('0001')) }, /padded/, 'not-der');
    for (const digits of ['3003 0a0100', '3003 0a0104', '3003 020101', '0500']) {
      refusal('InvalidInput', 'malformed', () => parseOcspResponse(hex(digits)));
    }
  });

  it('refuses other types, responders by name, and extensions outside the profile', () => {
    refuse({ type: '1.2.3' }, /type 1\.2\.3, expected basic/);
    refuse({ responder: context(1, sequence()) }, /responderID has the tag 0xa1/);
    const other = rawExtension('1.3.6.1.5.5.7.48.1.9', nothing());
    const nonce = rawExtension(NONCE, octetString(hex('01')));
    for (const list of [[other], [nonce, other], [other, nonce]]) {
      refuse({ extensions: context(1, sequence(...list)) }, /other than the nonce/);
    }
    refuse({ certs: context(0, sequence()) }, /list of certificates is empty/);
    refuse({ behind: context(1, sequence(other)) }, /a single response has 4 members/);
  });

  it('refuses a status of a certificate that is none', () => {
    refuse({ certStatus: implicit(3, none) }, /CertStatus is none/);
    refuse({ certStatus: implicit(0, hex('00')) }, /CertStatus is none/);
    const reason = (value: Octets) => context(1, NOW, context(0, value));
    refuse({ certStatus: reason(tlv(0x0a, hex('00'))) }, /revocationReason is 0/);
    refuse({ certStatus: reason(tlv(0x0a, hex('06'))) }, /revocationReason is 6/);
    refuse({ certStatus: context(1, tlv(0x17, Buffer.from('260601000000Z'))) }, /revocationTime is no time/);
    refuse({ behind: context(0, time('20260601000000.1Z')) }, /nextUpdate is no time/);
    refuse({ behind: context(0, time('20260631000000Z')) }, /nextUpdate is no calendar date/);
  });

  it('refuses what is too large, and weak signatures', () => {
    refusal('InvalidInput', 'too-large', () => parseOcspResponse(new Uint8Array(64 * 1024 + 1)));
    const weak = parsed(byHand({ algorithm: sequence(oid('1.2.840.10045.4.1')) }));
    refusal('InvalidInput', 'weak-digest', () => verifyOcspResponse(weak, authority.key.spki));
  });
});
