import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { parseCertificate, verifySignedBy } from '../../../shared/pki/certificate.ts';
import { encodeName } from '../../../shared/pki/distinguished-name.ts';
import {
  authorityConstraints,
  authorityKeyUsage,
  extendedKeyUsage,
} from '../../../shared/pki/extension-writer.ts';
import { lintResponder, type ResponderPolicy } from '../../../shared/pki/lint-responder.ts';
import { encodePem } from '../../../shared/pki/pem.ts';
import { buildResponderTbs, type ResponderInput } from '../../../shared/pki/responder-certificate.ts';
import { buildTbs } from '../../../shared/pki/tbs-certificate.ts';
import { DURING, makeAuthority } from './support/authority.ts';
import { findingsOf, onlyFinding } from './support/findings.ts';
import { responderInput } from './support/ocsp.ts';
import { openOpensslDirectory } from './support/openssl.ts';

const openssl = openOpensslDirectory();
after(() => openssl.remove());

const authority = makeAuthority();
const input = responderInput(authority);
const policy: ResponderPolicy = { authority: authority.certificate, maximumValiditySeconds: 7 * 86_400 };

function lint(built: Partial<ResponderInput>, asked = built): string[] {
  const tbs = buildResponderTbs({ ...input, ...built });
  return findingsOf(() => lintResponder(tbs, { ...input, ...asked }, policy));
}

describe('the certificate of an OCSP responder', () => {
  it('is accepted by openssl for that purpose alone', () => {
    const der = authority.issue(buildResponderTbs(input));
    assert.equal(verifySignedBy(parseCertificate(der), authority.certificate.spki), true);
    const file = openssl.write('authority.pem', encodePem('CERTIFICATE', authority.certificate.der));
    const responder = openssl.write('responder.pem', encodePem('CERTIFICATE', der));
    const verify = (purpose: string) =>
      openssl.attempt(
        ...['verify', '-x509_strict', '-attime', DURING, '-purpose', purpose, '-CAfile', file, responder],
      ).output;
    assert.match(verify('ocsphelper'), /: OK/);
    assert.doesNotMatch(verify('sslclient'), /: OK/);
    const text = openssl.run('x509', '-noout', '-text', '-in', responder);
    const expected = [
      /Subject: CN = Everleaf OCSP responder 1\n/,
      /Basic Constraints: critical\s+CA:FALSE\n/,
      /Key Usage: critical\s+Digital Signature\n/,
      /Extended Key Usage: \s+OCSP Signing\n/,
      /OCSP No Check:/,
      /Subject Key Identifier/,
      /Authority Key Identifier/,
    ];
    for (const pattern of expected) assert.match(text, pattern);
    assert.doesNotMatch(text, /CRL Distribution|Authority Information|Alternative Name/);
  });
});

describe('the lint of a responder', () => {
  it('finds nothing in what the builder makes', () => {
    assert.deepEqual(lint({}), []);
    assert.deepEqual(lint({ subject: { commonName: 'r', organization: 'Everleaf' } }), []);
  });

  it('finds bytes that are no certificate', () => {
    onlyFinding(
      findingsOf(() => lintResponder(new Uint8Array(), input, policy)),
      /the DER ends/,
    );
  });

  it('finds a long life, a foreign name, a foreign issuer and the key of the authority itself', () => {
    onlyFinding(lint({ notAfter: new Date('2026-06-06T00:00:00Z') }), /valid for 604801 s/);
    onlyFinding(lint({ subject: { commonName: 'another' } }, {}), /the subject is .*another/);
    onlyFinding(lint({ subject: { commonName: '' } }), /the subject is/);
    onlyFinding(
      lint({ issuer: { ...input.issuer, subjectDer: encodeName({ commonName: 'x' }) } }),
      /issuer is not/,
    );
    onlyFinding(lint({ spki: authority.key.spki }), /the authority's own/);
  });

  it('finds extensions that are not those of a responder', () => {
    const parsed = parseCertificate(authority.issue(buildResponderTbs(input)));
    const base = { ...input, issuerDer: input.issuer.subjectDer, subjectDer: encodeName(input.subject) };
    const withExtension = (oid: string, changed: { critical: boolean; value: Uint8Array } | null) => {
      const extensions = [...parsed.extensions.values()].flatMap((one) => {
        if (one.oid !== oid) return [one];
        return changed === null ? [] : [{ ...one, ...changed }];
      });
      return findingsOf(() => lintResponder(buildTbs({ ...base, extensions }), input, policy));
    };
    const noCheck = '1.3.6.1.5.5.7.48.1.5';
    assert.match(withExtension(noCheck, null).join(), /extension 1\.3\.6\.1\.5\.5\.7\.48\.1\.5 is missing/);
    onlyFinding(
      withExtension(noCheck, { critical: false, value: new Uint8Array() }),
      /ocsp-nocheck is not NULL/,
    );
    const purposes = extendedKeyUsage('1.3.6.1.5.5.7.3.9', '1.3.6.1.5.5.7.3.2');
    onlyFinding(withExtension('2.5.29.37', purposes), /expected OCSPSigning alone/);
    onlyFinding(withExtension('2.5.29.15', authorityKeyUsage()), /keyUsage is keyCertSign,cRLSign/);
    onlyFinding(withExtension('2.5.29.19', authorityConstraints(0)), /makes it an authority/);
    const bare = findingsOf(() => lintResponder(buildTbs({ ...base, extensions: [] }), input, policy));
    assert.match(bare.join('\n'), /2\.5\.29\.37 is missing/);
  });
});
