import type { ParsedCertificate, ParsedTbsCertificate } from './certificate.ts';
import { encodeDer } from './der-reader.ts';
import { type Extension, readAuthorityKeyIdentifier, readKeyUsage } from './extension-reader.ts';
import { type Findings, sameBytes } from './lint-findings.ts';
import { OID } from './oids.ts';
import { checkPublicKey, readPublicKey, subjectKeyIdentifier } from './public-key.ts';
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithmName, writeSignatureAlgorithm } from './signature.ts';

/**
 * The least length of a serial number in bytes. Everleaf draws 16; 64 unpredictable bits are what the CA/Browser
 * Forum's baseline requirements, section 7.1, ask for, and a shorter number means that the randomness failed.
 */
const MINIMUM_SERIAL_BYTES = 8;

/** ub-common-name and ub-organization-name, RFC 5280 appendix A.1. */
const MAXIMUM_NAME_CHARACTERS = 64;

/** What both profiles have in common. */
export interface CommonExpectation {
  readonly serialNumber: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly spki: Uint8Array;
  /** Left out, RFC 7093 method 1. */
  readonly subjectKeyId?: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithmName;
  /** The longest life, notBefore and notAfter included, in seconds. */
  readonly maximumValiditySeconds: number;
}

/** Serial number, dates, key, subject key identifier and algorithm of any certificate. */
export function lintCommon(tbs: ParsedTbsCertificate, expected: CommonExpectation, findings: Findings): void {
  const { serialNumber } = tbs;
  findings.expect(
    serialNumber.length >= 2 * MINIMUM_SERIAL_BYTES,
    `the serial number has ${serialNumber.length / 2} bytes, expected at least ${MINIMUM_SERIAL_BYTES}`,
  );
  findings.expect(
    serialNumber === expected.serialNumber.replace(/^(00)+/, ''),
    `the serial number is ${serialNumber}, expected ${expected.serialNumber}`,
  );
  lintDates(tbs, expected, findings);
  findings.expect(sameBytes(tbs.spki, expected.spki), 'the public key is not the one asked for');
  findings.read('the public key', () => checkPublicKey(readPublicKey(tbs.spki)));
  const keyId =
    expected.subjectKeyId ?? findings.read('the public key', () => subjectKeyIdentifier(tbs.spki));
  findings.expect(sameBytes(tbs.subjectKeyId, keyId), 'subjectKeyIdentifier is not that of the public key');
  findings.expect(
    sameBytes(tbs.signatureAlgorithmDer, encodeDer(writeSignatureAlgorithm(expected.signatureAlgorithm))),
    `the signature algorithm is not ${expected.signatureAlgorithm}`,
  );
  for (const [part, text] of Object.entries(tbs.subject)) {
    const length = text?.length ?? 0;
    findings.expect(
      length <= MAXIMUM_NAME_CHARACTERS,
      `the subject's ${part} has ${length} characters, at most 64 fit`,
    );
  }
}

function lintDates(tbs: ParsedTbsCertificate, expected: CommonExpectation, findings: Findings): void {
  const notBefore = tbs.notBefore.getTime();
  const notAfter = tbs.notAfter.getTime();
  findings.expect(notBefore === expected.notBefore.getTime(), 'notBefore is not the one asked for');
  findings.expect(notAfter === expected.notAfter.getTime(), 'notAfter is not the one asked for');
  findings.expect(notBefore < notAfter, 'notAfter does not lie after notBefore');
  // Both ends count in, RFC 5280 section 4.1.2.5.
  const seconds = (notAfter - notBefore) / 1000 + 1;
  findings.expect(
    seconds <= expected.maximumValiditySeconds,
    `it is valid for ${seconds} s, expected at most ${expected.maximumValiditySeconds} s`,
  );
}

/** What ties a certificate to the authority that will sign it: name, key identifier, dates, and the right to sign. */
export function lintIssuer(
  tbs: ParsedTbsCertificate,
  signer: ParsedCertificate,
  algorithm: SignatureAlgorithmName,
  findings: Findings,
): void {
  findings.expect(
    sameBytes(tbs.issuerDer, signer.subjectDer),
    "the issuer is not the authority's subject byte for byte",
  );
  findings.expect(
    tbs.notBefore >= signer.notBefore && tbs.notAfter <= signer.notAfter,
    `its dates lie outside the authority's, ${signer.notBefore.toISOString()} to ${signer.notAfter.toISOString()}`,
  );
  const extension = tbs.extensions.get(OID.authorityKeyIdentifier);
  const identifier =
    extension && findings.read('authorityKeyIdentifier', () => readAuthorityKeyIdentifier(extension.value));
  findings.expect(
    identifier?.onlyKeyId === true && sameBytes(identifier.keyId, signer.subjectKeyId),
    "authorityKeyIdentifier is not the authority's key identifier alone",
  );
  const usage = signer.extensions.get(OID.keyUsage);
  const usages =
    usage === undefined ? null : findings.read("the authority's keyUsage", () => readKeyUsage(usage.value));
  findings.expect(
    signer.basicConstraints?.isAuthority === true && usages?.includes('keyCertSign') === true,
    'the signer is no authority',
  );
  const key = findings.read("the authority's public key", () => readPublicKey(signer.spki));
  findings.expect(
    key?.type === SIGNATURE_ALGORITHMS[algorithm].keyType,
    `${algorithm} does not fit the authority's key`,
  );
}

/**
 * That exactly the expected extensions are there, each as critical as expected.
 * @param expected criticality by object identifier.
 */
export function lintExtensionSet(
  extensions: ReadonlyMap<string, Extension>,
  expected: ReadonlyMap<string, boolean>,
  findings: Findings,
): void {
  for (const [oid, critical] of expected) {
    const found = extensions.get(oid);
    findings.expect(found !== undefined, `the extension ${oid} is missing`);
    findings.expect(
      found === undefined || found.critical === critical,
      `the extension ${oid} has the wrong criticality`,
    );
  }
  for (const oid of extensions.keys())
    findings.expect(expected.has(oid), `the extension ${oid} is not in the profile`);
}

/** Reads the value of an extension that should be there; its absence is a finding of `lintExtensionSet`. */
export function readValue<Value>(
  tbs: ParsedTbsCertificate,
  oid: string,
  findings: Findings,
  read: (value: Uint8Array) => Value,
): Value | null {
  const extension = tbs.extensions.get(oid);
  return extension === undefined ? null : findings.read(`the extension ${oid}`, () => read(extension.value));
}

/** The attributes of the Name in the form `2.5.4.10=management`, to compare with what was asked for. */
export function attributeTexts(attributes: readonly { oid: string; value: string | null }[]): string {
  return attributes.map(({ oid, value }) => `${oid}=${value}`).join(', ');
}
