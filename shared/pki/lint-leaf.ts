import { type ParsedCertificate, type ParsedTbsCertificate, parseTbsCertificate } from './certificate.ts';
import { parseDer } from './der-reader.ts';
import { readName } from './distinguished-name.ts';
import {
  readAuthorityInfo,
  readBasicConstraints,
  readCrlUrls,
  readExtendedKeyUsage,
  readKeyUsage,
} from './extension-reader.ts';
import { type AlternativeNames, isHostName, readGeneralNames } from './general-names.ts';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';
import type { LeafInput } from './leaf-certificate.ts';
import { attributeTexts, lintCommon, lintExtensionSet, lintIssuer, readValue } from './lint-common.ts';
import { Findings, sameBytes, sameTexts } from './lint-findings.ts';
import { OID } from './oids.ts';
import { readPublicKey } from './public-key.ts';

export interface LeafPolicy {
  /** The authority that will sign. */
  readonly authority: ParsedCertificate;
  /** The longest life of a leaf, both ends included, in seconds. */
  readonly maximumValiditySeconds: number;
}

/**
 * Checks a leaf before it is signed: reads the bytes again and compares them with what was asked for, with the
 * profile (see leaf-certificate.ts) and with the authority. It shares no code with the writers, so that a mistake
 * there does not hide itself.
 * @param tbs the bytes whose digest will be signed.
 * @param leaf what the certificate is to say.
 * @throws EverleafError LintFailed; the sentence and `details.findings` (one a line) name everything found.
 */
export function lintLeaf(tbs: Uint8Array, leaf: LeafInput, policy: LeafPolicy): void {
  const findings = new Findings();
  const parsed = findings.read('the certificate', () => parseTbsCertificate(tbs));
  if (parsed !== null) {
    lintCommon(parsed, { ...leaf, maximumValiditySeconds: policy.maximumValiditySeconds }, findings);
    lintIssuer(parsed, policy.authority, leaf.signatureAlgorithm, findings);
    findings.expect(!sameBytes(parsed.spki, policy.authority.spki), "the public key is the authority's own");
    lintSubject(parsed, leaf, findings);
    lintExtensionSet(parsed.extensions, expectedExtensions(leaf), findings);
    lintPurpose(parsed, leaf, findings);
    lintNames(parsed, leaf, findings);
    lintUrls(parsed, leaf, findings);
  }
  findings.throwIfAny(`the certificate of ${JSON.stringify(leaf.accessIdentity)}`);
}

/** Critical or not by object identifier: the whole profile. */
function expectedExtensions(leaf: LeafInput): Map<string, boolean> {
  const expected = new Map<string, boolean>([
    [OID.basicConstraints, true],
    [OID.keyUsage, true],
    [OID.extendedKeyUsage, false],
    [OID.subjectAltName, false],
    [OID.subjectKeyIdentifier, false],
    [OID.authorityKeyIdentifier, false],
    [OID.accessIdentity, false],
  ]);
  if (leaf.crlUrl !== undefined) expected.set(OID.crlDistributionPoints, false);
  if (leaf.authorityInfo !== undefined) expected.set(OID.authorityInfoAccess, false);
  // Only these two may come on top; another extra one is then found as not in the profile.
  for (const { oid } of leaf.extraExtensions ?? []) {
    if (oid === OID.renewCount || oid === OID.originalCertificate) expected.set(oid, false);
  }
  return expected;
}

function lintSubject(parsed: ParsedTbsCertificate, leaf: LeafInput, findings: Findings): void {
  const { commonName, organization } = leaf.subject;
  const found = attributeTexts(readName(parseDer(parsed.subjectDer), 'the subject'));
  const expected = `${OID.organization}=${organization}, ${OID.commonName}=${commonName}`;
  findings.expect(
    found === expected,
    `the subject is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`,
  );
  findings.expect(
    leaf.accessIdentity === `${organization}/${commonName}`,
    `the access identity ${JSON.stringify(leaf.accessIdentity)} is not that of the subject`,
  );
  const path = `/cluster/${organization}/client/${commonName}`;
  const isSpiffe = /^spiffe:\/\/[a-z0-9._-]+$/.test(leaf.spiffeUri.slice(0, -path.length));
  findings.expect(
    isSpiffe && leaf.spiffeUri.endsWith(path),
    `the URI ${JSON.stringify(leaf.spiffeUri)} is not spiffe://<trust domain>${path}`,
  );
}

function lintPurpose(parsed: ParsedTbsCertificate, leaf: LeafInput, findings: Findings): void {
  const constraints = readValue(parsed, OID.basicConstraints, findings, readBasicConstraints);
  findings.expect(constraints?.isAuthority === false, 'basicConstraints makes it an authority');
  const isRsa = findings.read('the public key', () => readPublicKey(parsed.spki).type === 'RSA');
  const usages = leaf.server && isRsa ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];
  const foundUsages = readValue(parsed, OID.keyUsage, findings, readKeyUsage) ?? [];
  findings.expect(sameTexts(foundUsages, usages), `keyUsage is ${foundUsages}, expected ${usages}`);
  const purposes = leaf.server ? [OID.clientAuth, OID.serverAuth] : [OID.clientAuth];
  const foundPurposes = readValue(parsed, OID.extendedKeyUsage, findings, readExtendedKeyUsage) ?? [];
  findings.expect(
    sameTexts(foundPurposes, purposes),
    `extKeyUsage is ${foundPurposes}, expected ${purposes}`,
  );
  const identity = parsed.extensions.get(OID.accessIdentity)?.value;
  findings.expect(
    sameBytes(identity, Buffer.from(leaf.accessIdentity, 'utf8')),
    'the access identity is not the one asked for',
  );
  for (const extra of leaf.extraExtensions ?? []) {
    findings.expect(
      sameBytes(parsed.extensions.get(extra.oid)?.value, extra.value),
      `the extension ${extra.oid} is not the one asked for`,
    );
  }
}

function lintNames(parsed: ParsedTbsCertificate, leaf: LeafInput, findings: Findings): void {
  const read = (value: Uint8Array): AlternativeNames => readGeneralNames(parseDer(value));
  const names = readValue(parsed, OID.subjectAltName, findings, read);
  if (names === null) return;
  // The X.509-SVID standard, section 2: exactly one URI, the SPIFFE ID.
  findings.expect(
    sameTexts(names.uris, [leaf.spiffeUri]),
    `the URIs are ${names.uris}, expected the SPIFFE ID alone`,
  );
  findings.expect(
    sameTexts(names.dns, leaf.names.dns),
    `the DNS names are ${names.dns}, expected ${leaf.names.dns}, each once`,
  );
  for (const name of names.dns) findings.expect(isHostName(name), `${JSON.stringify(name)} is no host name`);
  const addresses = leaf.names.ipAddresses.map(canonicalAddress);
  findings.expect(
    sameTexts(names.ipAddresses, addresses),
    `the addresses are ${names.ipAddresses}, expected ${addresses}, each once`,
  );
  findings.expect(
    names.emails.length === 0 && names.otherCount === 0,
    'subjectAltName has names other than URI, DNS and address',
  );
}

function lintUrls(parsed: ParsedTbsCertificate, leaf: LeafInput, findings: Findings): void {
  if (leaf.crlUrl !== undefined) {
    const urls = readValue(parsed, OID.crlDistributionPoints, findings, readCrlUrls) ?? [];
    findings.expect(sameTexts(urls, [leaf.crlUrl]), `the CRL is at ${urls}, expected ${leaf.crlUrl}`);
  }
  if (leaf.authorityInfo !== undefined) {
    const { ocsp, caIssuers } = leaf.authorityInfo;
    const found = readValue(parsed, OID.authorityInfoAccess, findings, readAuthorityInfo);
    const isRight =
      sameTexts(found?.ocsp ?? [], ocsp === undefined ? [] : [ocsp]) &&
      sameTexts(found?.caIssuers ?? [], caIssuers === undefined ? [] : [caIssuers]);
    findings.expect(
      isRight && (ocsp ?? caIssuers) !== undefined,
      'authorityInfoAccess is not the one asked for',
    );
  }
}

function canonicalAddress(text: string): string {
  const octets = parseIpAddress(text);
  return (octets && formatIpAddress(octets)) ?? text;
}
