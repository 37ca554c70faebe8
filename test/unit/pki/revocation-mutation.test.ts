import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { buildCrlTbs } from '../../../shared/pki/crl.ts';
import { parseCrl } from '../../../shared/pki/crl-reader.ts';
import { assertDer } from '../../../shared/pki/der-rules.ts';
import { lintCrl } from '../../../shared/pki/lint-crl.ts';
import { lintResponder } from '../../../shared/pki/lint-responder.ts';
import { parseOcspRequest } from '../../../shared/pki/ocsp-request.ts';
import { buildOcspResponseData } from '../../../shared/pki/ocsp-response.ts';
import { parseOcspResponse } from '../../../shared/pki/ocsp-response-reader.ts';
import { buildResponderTbs } from '../../../shared/pki/responder-certificate.ts';
import { makeAuthority } from './support/authority.ts';
import { crlInput, entry, REVOKED_AT, signCrl } from './support/crls.ts';
import { byNameOnly, mutationsOf } from './support/mutations.ts';
import { answer, certId, NONCE, ocspRequest, rawExtension, responderInput, SHA256 } from './support/ocsp.ts';
import { context, octetString, sequence } from './support/tlv.ts';

const authority = makeAuthority();
const input = crlInput(authority, [
  entry('01'),
  entry('80', { reason: 'keyCompromise', invalidityDate: new Date('2026-05-01T00:00:00Z') }),
  entry('0100', { reason: 'superseded' }),
]);
const crlTbs = buildCrlTbs(input);

/** Reads mutations, each of which is refused by name or is DER that means what it says, and no other bytes do. */
function checkReader<Read>(
  original: Uint8Array,
  read: (der: Uint8Array) => Read,
  check: (der: Uint8Array, found: Read) => void,
): void {
  check(original, read(original));
  fc.assert(
    fc.property(mutationsOf(original), (der) => {
      byNameOnly(() => {
        const found = read(der);
        assertDer(der);
        check(der, found);
      }, 'InvalidInput');
    }),
    { numRuns: 1000 },
  );
}

/** Turns bits of bytes that a lint passes, one in five, which is each of the eight in turn; none may pass then. */
function checkLint(tbs: Uint8Array, lint: (tbs: Uint8Array) => void): void {
  lint(tbs);
  for (let bit = 0; bit < tbs.length * 8; bit += 5) {
    const turned = Uint8Array.from(tbs);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    let passed = false;
    byNameOnly(() => {
      lint(turned);
      passed = true;
    }, 'LintFailed');
    if (passed) throw new Error(`the lint passed with bit ${bit} turned`);
  }
}

describe('mutated lists, requests and answers', () => {
  it('are a revocation list that has no other encoding, or a named refusal', () => {
    const original = signCrl(authority, crlTbs);
    const { signatureAlgorithmDer } = parseCrl(original);
    const read = (der: Uint8Array) => {
      const crl = parseCrl(der);
      return { crl, entries: [...crl.entries()] };
    };
    checkReader(original, read, (_, { crl, entries }) => {
      // Another algorithm, whole and the same in both places, is none that the writer is asked for here.
      if (Buffer.compare(crl.signatureAlgorithmDer, signatureAlgorithmDer) !== 0) return;
      const { signatureAlgorithm } = input;
      const again = buildCrlTbs({ ...crl, crlNumber: crl.number, entries, signatureAlgorithm });
      assert.deepEqual(Buffer.from(again), Buffer.from(crl.tbs));
    });
  });

  it('are an OCSP request whose CertIDs stand in it as they are echoed, or a named refusal', () => {
    const nonce = rawExtension(NONCE, octetString(new Uint8Array(16).fill(9)));
    const second = certId({ hash: SHA256, digest: new Uint8Array(32).fill(8), serial: 'ff00' });
    const single = sequence(second, context(0, sequence(rawExtension('1.2.3', sequence()))));
    checkReader(ocspRequest([sequence(certId()), single], [nonce]), parseOcspRequest, (der, found) => {
      for (const id of found.certIds) assert.ok(Buffer.from(der).includes(Buffer.from(id.der)));
    });
  });

  it('are an OCSP response that has no other encoding, or a named refusal', () => {
    const dates = { thisUpdate: REVOKED_AT, nextUpdate: new Date('2026-06-04T00:00:00Z') };
    const revoked = { kind: 'revoked', revokedAt: REVOKED_AT, reason: 'superseded' } as const;
    const responses = [{ kind: 'good' } as const, { kind: 'unknown' } as const, revoked].map((status) => ({
      ...{ certIdDer: certId(), status },
      ...dates,
    }));
    checkReader(
      answer(authority, { responses, nonce: Uint8Array.of(1, 2, 3) }),
      parseOcspResponse,
      (_, found) => {
        if (found.status !== 'successful') return;
        assert.deepEqual(Buffer.from(buildOcspResponseData(found)), Buffer.from(found.tbs));
      },
    );
  });

  it('never get past a lint, whatever bit was turned', () => {
    const crlPolicy = { authority: authority.certificate, maximumValiditySeconds: 72 * 3600 };
    checkLint(crlTbs, (tbs) => lintCrl(tbs, input, crlPolicy));
    const responder = responderInput(authority);
    const policy = { authority: authority.certificate, maximumValiditySeconds: 7 * 86_400 };
    checkLint(buildResponderTbs(responder), (tbs) => lintResponder(tbs, responder, policy));
  });
});
