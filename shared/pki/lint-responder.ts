import { type ParsedCertificate, type ParsedTbsCertificate, parseTbsCertificate } from './certificate.ts';
import { parseDer } from './der-reader.ts';
import { readName } from './distinguished-name.ts';
import { readBasicConstraints, readExtendedKeyUsage, readKeyUsage } from './extension-reader.ts';
import { attributeTexts, lintCommon, lintExtensionSet, lintIssuer, readValue } from './lint-common.ts';
import { Findings, sameBytes, sameTexts } from './lint-findings.ts';
import { OID } from './oids.ts';
import type { ResponderInput } from './responder-certificate.ts';

export interface ResponderPolicy {
  /** The authority that will sign. */
  readonly authority: ParsedCertificate;
  /** The longest life, both ends included, in seconds: nobody can revoke it. */
  readonly maximumValiditySeconds: number;
}

/** Critical or not by object identifier: the whole profile. */
const PROFILE: ReadonlyMap<string, boolean> = new Map([
  [OID.basicConstraints, true],
  [OID.keyUsage, true],
  [OID.extendedKeyUsage, false],
  [OID.ocspNoCheck, false],
  [OID.subjectKeyIdentifier, false],
  [OID.authorityKeyIdentifier, false],
]);

/**
 * Checks the certificate of an OCSP responder before it is signed, as `lintLeaf` does for a leaf.
 * @param tbs the bytes whose digest will be signed.
 * @param responder what the certificate is to say.
 * @throws EverleafError LintFailed; the sentence and `details.findings` (one a line) name everything found.
 */
export function lintResponder(tbs: Uint8Array, responder: ResponderInput, policy: ResponderPolicy): void {
  const findings = new Findings();
  const parsed = findings.read('the certificate', () => parseTbsCertificate(tbs));
  if (parsed !== null) {
    const { authority, maximumValiditySeconds } = policy;
    lintCommon(parsed, { ...responder, maximumValiditySeconds }, findings);
    lintIssuer(parsed, authority, responder.signatureAlgorithm, findings);
    findings.expect(!sameBytes(parsed.spki, authority.spki), "the public key is the authority's own");
    lintSubject(parsed, responder, findings);
    lintExtensionSet(parsed.extensions, PROFILE, findings);
    lintPurpose(parsed, findings);
  }
  findings.throwIfAny('the certificate of an OCSP responder');
}

function lintSubject(parsed: ParsedTbsCertificate, { subject }: ResponderInput, findings: Findings): void {
  const found = attributeTexts(readName(parseDer(parsed.subjectDer), 'the subject'));
  const organization =
    subject.organization === undefined ? '' : `${OID.organization}=${subject.organization}, `;
  const expected = `${organization}${OID.commonName}=${subject.commonName}`;
  findings.expect(
    found === expected && subject.commonName !== '',
    `the subject is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`,
  );
}

function lintPurpose(parsed: ParsedTbsCertificate, findings: Findings): void {
  const constraints = readValue(parsed, OID.basicConstraints, findings, readBasicConstraints);
  findings.expect(constraints?.isAuthority === false, 'basicConstraints makes it an authority');
  const usages = readValue(parsed, OID.keyUsage, findings, readKeyUsage) ?? [];
  findings.expect(
    sameTexts(usages, ['digitalSignature']),
    `keyUsage is ${usages}, expected digitalSignature`,
  );
  const purposes = readValue(parsed, OID.extendedKeyUsage, findings, readExtendedKeyUsage) ?? [];
  findings.expect(
    sameTexts(purposes, [OID.ocspSigning]),
    `extKeyUsage is ${purposes}, expected OCSPSigning alone`,
  );
  const noCheck = parsed.extensions.get(OID.ocspNoCheck)?.value;
  findings.expect(sameBytes(noCheck, Uint8Array.of(5, 0)), 'id-pkix-ocsp-nocheck is not NULL');
}
