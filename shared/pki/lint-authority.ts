import type { AuthorityInput } from './authority-certificate.ts';
import { type ParsedCertificate, type ParsedTbsCertificate, parseTbsCertificate } from './certificate.ts';
import { parseDer } from './der-reader.ts';
import { readName, valuesOf } from './distinguished-name.ts';
import { readBasicConstraints, readCrlUrls, readKeyUsage } from './extension-reader.ts';
import { lintCommon, lintExtensionSet, lintIssuer, readValue } from './lint-common.ts';
import { Findings, sameBytes, sameTexts } from './lint-findings.ts';
import { OID } from './oids.ts';
import { roomBelow } from './path-length.ts';
import { readPublicKey } from './public-key.ts';
import { SIGNATURE_ALGORITHMS } from './signature.ts';

export interface AuthorityPolicy {
  /** The longest life, both ends included, in seconds. */
  readonly maximumValiditySeconds: number;
  /** For a cross certificate: who will sign it, and whom it is for. */
  readonly cross?: { readonly signer: ParsedCertificate; readonly authority: ParsedCertificate };
}

/**
 * Checks an authority's certificate before it is signed, as `lintLeaf` does for a leaf.
 *
 * A self-signed one has a path length of 1 and its own subject as issuer. A cross certificate repeats subject, key
 * and subject key identifier of the authority it is for, has a path length of 0, below a signer that has room for
 * it, and ends no later than that signer.
 *
 * @param tbs the bytes whose digest will be signed.
 * @param authority what the certificate is to say.
 * @throws EverleafError LintFailed; the sentence and `details.findings` (one a line) name everything found.
 */
export function lintAuthority(tbs: Uint8Array, authority: AuthorityInput, policy: AuthorityPolicy): void {
  const findings = new Findings();
  const parsed = findings.read('the certificate', () => parseTbsCertificate(tbs));
  if (parsed !== null) {
    lintCommon(parsed, { ...authority, maximumValiditySeconds: policy.maximumValiditySeconds }, findings);
    lintSubject(parsed, authority, findings);
    lintExtensionSet(parsed.extensions, expectedExtensions(authority, policy), findings);
    const constraints = readValue(parsed, OID.basicConstraints, findings, readBasicConstraints);
    const pathLength = policy.cross === undefined ? 1 : 0;
    findings.expect(
      constraints?.isAuthority === true && constraints.pathLength === pathLength,
      `basicConstraints is not that of an authority with a path length of ${pathLength}`,
    );
    const usages = readValue(parsed, OID.keyUsage, findings, readKeyUsage) ?? [];
    findings.expect(
      sameTexts(usages, ['keyCertSign', 'cRLSign']),
      `keyUsage is ${usages}, expected keyCertSign,cRLSign`,
    );
    if (policy.cross === undefined) lintSelfSigned(parsed, authority, findings);
    else lintCross(parsed, authority, policy.cross, findings);
  }
  findings.throwIfAny('the certificate of an authority');
}

function expectedExtensions(authority: AuthorityInput, policy: AuthorityPolicy): Map<string, boolean> {
  const expected = new Map<string, boolean>([
    [OID.basicConstraints, true],
    [OID.keyUsage, true],
    [OID.subjectKeyIdentifier, false],
  ]);
  if (policy.cross !== undefined) {
    expected.set(OID.authorityKeyIdentifier, false);
    if (authority.crlUrl !== undefined) expected.set(OID.crlDistributionPoints, false);
  }
  return expected;
}

function lintSubject(parsed: ParsedTbsCertificate, authority: AuthorityInput, findings: Findings): void {
  findings.expect(sameBytes(parsed.subjectDer, authority.subjectDer), 'the subject is not the one asked for');
  const names = valuesOf(readName(parseDer(parsed.subjectDer), 'the subject'), OID.commonName);
  findings.expect(names.length === 1 && Boolean(names[0]), 'the subject has not exactly one common name');
}

function lintSelfSigned(parsed: ParsedTbsCertificate, authority: AuthorityInput, findings: Findings): void {
  findings.expect(sameBytes(parsed.issuerDer, parsed.subjectDer), 'the issuer is not the subject itself');
  const key = findings.read('the public key', () => readPublicKey(parsed.spki));
  const { signatureAlgorithm } = authority;
  findings.expect(
    key?.type === SIGNATURE_ALGORITHMS[signatureAlgorithm].keyType,
    `${signatureAlgorithm} does not fit the key`,
  );
}

function lintCross(
  parsed: ParsedTbsCertificate,
  input: AuthorityInput,
  cross: { signer: ParsedCertificate; authority: ParsedCertificate },
  findings: Findings,
): void {
  const { signer, authority } = cross;
  lintIssuer(parsed, signer, input.signatureAlgorithm, findings);
  const room = roomBelow([signer]);
  findings.expect(room >= 1, `the signer has a path length of ${room}, expected 1 or none`);
  findings.expect(!sameBytes(signer.spki, parsed.spki), 'an authority does not cross-certify its own key');
  findings.expect(
    sameBytes(parsed.subjectDer, authority.subjectDer) &&
      sameBytes(parsed.spki, authority.spki) &&
      sameBytes(parsed.subjectKeyId, authority.subjectKeyId),
    'subject, key and key identifier are not those of the authority it is for',
  );
  if (input.crlUrl !== undefined) {
    const urls = readValue(parsed, OID.crlDistributionPoints, findings, readCrlUrls) ?? [];
    findings.expect(sameTexts(urls, [input.crlUrl]), `the CRL is at ${urls}, expected ${input.crlUrl}`);
  }
}
