import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseCertificate } from '../../../shared/pki/certificate.ts';
import {
  checkCertificateRequest,
  parseCertificateRequest,
  parseCertificateRequestDer,
} from '../../../shared/pki/certificate-request.ts';
import { readCertifiedJws } from '../../../shared/pki/jws.ts';
import { buildLeafTbs } from '../../../shared/pki/leaf-certificate.ts';
import { lintLeaf } from '../../../shared/pki/lint-leaf.ts';
import { readPublicKey } from '../../../shared/pki/public-key.ts';
import { readRenewalProof } from '../../../shared/pki/renewal-request.ts';
import { makeProof } from '../../support/proofs.ts';
import { keyCertificateOf, pemOf, renewalRequest } from '../../support/renewal-requests.ts';
import { leafInput, makeAuthority } from './support/authority.ts';
import { handCertificate } from './support/hand-certificate.ts';
import { keyPair } from './support/keys.ts';
import { byNameOnly, mutationsOf } from './support/mutations.ts';
import { extension, pemRequest, requestDer } from './support/requests.ts';
import { hex, implicit, name, sequence, utf8 } from './support/tlv.ts';

const names = extension(
  '2.5.29.17',
  sequence(implicit(2, Buffer.from('node-1')), implicit(7, hex('7f000001'))),
);
const authority = makeAuthority();
const leaf = leafInput(authority, keyPair('P-384'));
const leafTbs = buildLeafTbs(leaf);

describe('mutated input', () => {
  for (const kind of ['P-256', 'RSA-2048'] as const) {
    it(`is a certificate request or a named refusal, for ${kind}`, () => {
      const original = requestDer({ key: keyPair(kind), extensions: [names] });
      fc.assert(
        fc.property(mutationsOf(original), (der) => {
          byNameOnly(() => {
            checkCertificateRequest(parseCertificateRequestDer(der), { identityName: 'KMS' });
          }, 'InvalidCertificateRequest');
        }),
        { numRuns: 3000 },
      );
    });

    it(`is a public key or a named refusal, for ${kind}`, () => {
      fc.assert(
        fc.property(mutationsOf(keyPair(kind).spki), (spki) =>
          byNameOnly(() => readPublicKey(spki), 'InvalidInput'),
        ),
        { numRuns: 2000 },
      );
    });
  }

  it('is a request in PEM or a named refusal', () => {
    const original = Buffer.from(pemRequest(requestDer()));
    fc.assert(
      fc.property(mutationsOf(original), (pem) => {
        byNameOnly(
          () => parseCertificateRequest(Buffer.from(pem).toString('latin1')),
          'InvalidCertificateRequest',
        );
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        byNameOnly(() => parseCertificateRequest(text), 'InvalidCertificateRequest');
      }),
    );
  });

  it('is a certificate or a named refusal', () => {
    fc.assert(
      fc.property(mutationsOf(authority.issue(leafTbs)), (der) =>
        byNameOnly(() => parseCertificate(der), 'InvalidInput'),
      ),
      { numRuns: 3000 },
    );
  });

  it('is a proof that does not verify, or a named refusal', () => {
    const key = keyPair('P-256');
    const certificate = authority.issue(leafTbs);
    const parts = { key, path: '/api/x', now: new Date('2026-11-21T08:00:00Z') };
    const proof = makeProof({ certificate: handCertificate({ key }), ...parts });
    fc.assert(
      fc.property(mutationsOf(Buffer.from(proof)), (text) => {
        const mutated = Buffer.from(text).toString('latin1');
        byNameOnly(() => {
          const verified = readCertifiedJws(mutated).verify();
          if (verified && mutated !== proof) throw new Error(`this verifies: ${mutated}`);
        }, 'InvalidInput');
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(mutationsOf(certificate), (der) => {
        byNameOnly(
          () => readCertifiedJws(makeProof({ certificate: der, ...parts })).verify(),
          'InvalidInput',
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('is a renewal with its proof inside, or a named refusal', () => {
    const key = keyPair('P-256');
    const subject = name(['2.5.4.10', utf8('management')], ['2.5.4.3', utf8('KMS')]);
    const certificate = handCertificate({ key, subject });
    const identity = { cluster: 'management', name: 'KMS' };
    const now = new Date('2026-11-21T08:00:00Z');
    const parts = { identity, certificate, key, newKey: keyPair('P-256', 'next'), now };
    const blocks = Buffer.from(pemOf(keyCertificateOf(parts)) + pemOf(certificate));
    fc.assert(
      fc.property(mutationsOf(blocks), (text) => {
        const csr = renewalRequest({ ...parts, blocks: [Buffer.from(text).toString('latin1')] });
        byNameOnly(() => readRenewalProof(parseCertificateRequest(csr))?.verify(), 'InvalidInput');
      }),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(mutationsOf(keyCertificateOf(parts)), (der) => {
        const csr = renewalRequest({ ...parts, blocks: [pemOf(der), pemOf(certificate)] });
        byNameOnly(() => readRenewalProof(parseCertificateRequest(csr))?.verify(), 'InvalidInput');
      }),
      { numRuns: 1000 },
    );
  });

  it('never gets past the lint, whatever bit of the certificate was turned', () => {
    const policy = { authority: authority.certificate, maximumValiditySeconds: 90 * 86_400 + 300 };
    lintLeaf(leafTbs, leaf, policy);
    for (let bit = 0; bit < leafTbs.length * 8; bit += 1) {
      const turned = Uint8Array.from(leafTbs);
      turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      let passed = false;
      byNameOnly(() => {
        lintLeaf(turned, leaf, policy);
        passed = true;
      }, 'LintFailed');
      if (passed) throw new Error(`the lint passed with bit ${bit} turned`);
    }
  });
});
