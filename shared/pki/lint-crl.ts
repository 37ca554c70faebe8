import { wholeSecond } from '../domain/instants.ts';
import type { ParsedCertificate } from './certificate.ts';
import type { CrlInput } from './crl.ts';
import type { CrlEntry } from './crl-entry-writer.ts';
import { type ParsedTbsCrl, parseTbsCrl } from './crl-reader.ts';
import { encodeDer } from './der-reader.ts';
import { readKeyUsage } from './extension-reader.ts';
import { Findings, sameBytes } from './lint-findings.ts';
import { OID } from './oids.ts';
import { readPublicKey } from './public-key.ts';
import { compareSerialNumbers } from './serial-number.ts';
import { SIGNATURE_ALGORITHMS, writeSignatureAlgorithm } from './signature.ts';

export interface CrlPolicy {
  /** The authority that will sign. It may end before the list does: its last list outlives it. */
  readonly authority: ParsedCertificate;
  /** The longest time from thisUpdate to nextUpdate, in seconds. */
  readonly maximumValiditySeconds: number;
}

/**
 * Checks a revocation list before it is signed, as `lintLeaf` does a certificate: reads the bytes again and compares
 * them with what was asked for, entry by entry, and with the authority. Entries stand by ascending serial number,
 * which shows that none is there twice.
 *
 * An empty list where a revoked certificate should stand is the mistake that nobody would notice, so every entry
 * counts; the finding names the first that is wrong, for there may be thousands.
 *
 * @param tbs the bytes whose digest will be signed.
 * @param crl what the list is to say; its entries are gone through once more.
 * @throws EverleafError LintFailed; the sentence and `details.findings` (one a line) name everything found.
 */
export function lintCrl(tbs: Uint8Array, crl: CrlInput, policy: CrlPolicy): void {
  const findings = new Findings();
  const parsed = findings.read('the list', () => parseTbsCrl(tbs));
  if (parsed !== null) {
    lintHead(parsed, crl, policy, findings);
    lintAuthority(parsed, crl, policy.authority, findings);
    const wrong = findings.read('the entries', () => wrongEntry(parsed.entries(), crl.entries));
    findings.expect(wrong === null, `the entries: ${wrong}`);
  }
  findings.throwIfAny('the revocation list');
}

function lintHead(parsed: ParsedTbsCrl, crl: CrlInput, policy: CrlPolicy, findings: Findings): void {
  const [start, end] = [parsed.thisUpdate.getTime(), parsed.nextUpdate.getTime()];
  findings.expect(start === crl.thisUpdate.getTime(), 'thisUpdate is not the one asked for');
  findings.expect(end === crl.nextUpdate.getTime(), 'nextUpdate is not the one asked for');
  findings.expect(start < end, 'nextUpdate does not lie after thisUpdate');
  const seconds = (end - start) / 1000;
  findings.expect(
    seconds <= policy.maximumValiditySeconds,
    `it is valid for ${seconds} s, expected at most ${policy.maximumValiditySeconds} s`,
  );
  findings.expect(
    parsed.number === BigInt(crl.crlNumber),
    `its number is ${parsed.number}, expected ${crl.crlNumber}`,
  );
}

function lintAuthority(
  parsed: ParsedTbsCrl,
  { signatureAlgorithm }: CrlInput,
  authority: ParsedCertificate,
  findings: Findings,
): void {
  findings.expect(
    sameBytes(parsed.issuerDer, authority.subjectDer),
    "the issuer is not the authority's subject byte for byte",
  );
  findings.expect(
    sameBytes(parsed.authorityKeyId, authority.subjectKeyId),
    "authorityKeyIdentifier is not the authority's key identifier",
  );
  const usage = authority.extensions.get(OID.keyUsage);
  const usages = usage && findings.read("the authority's keyUsage", () => readKeyUsage(usage.value));
  findings.expect(usages?.includes('cRLSign') === true, 'the signer may not sign revocation lists');
  findings.expect(
    sameBytes(parsed.signatureAlgorithmDer, encodeDer(writeSignatureAlgorithm(signatureAlgorithm))),
    `the signature algorithm is not ${signatureAlgorithm}`,
  );
  const key = findings.read("the authority's public key", () => readPublicKey(authority.spki));
  findings.expect(
    key?.type === SIGNATURE_ALGORITHMS[signatureAlgorithm].keyType,
    `${signatureAlgorithm} does not fit the authority's key`,
  );
}

/** What is wrong with the first entry that is not the one asked for, or stands at the wrong place; null for none. */
function wrongEntry(found: Generator<CrlEntry>, asked: Iterable<CrlEntry>): string | null {
  let previous: CrlEntry | null = null;
  for (const expected of asked) {
    const { value: entry, done } = found.next();
    if (done) return `${expected.serialNumber} is missing`;
    if (!isSameEntry(entry, expected))
      return `${entry.serialNumber} is not what was asked for ${expected.serialNumber}`;
    if (previous !== null && compareSerialNumbers(previous.serialNumber, entry.serialNumber) >= 0) {
      return `${entry.serialNumber} stands after ${previous.serialNumber}, expected ascending numbers, each once`;
    }
    previous = entry;
  }
  return found.next().done ? null : 'there are more than were asked for';
}

function isSameEntry(found: CrlEntry, expected: CrlEntry): boolean {
  const second = (date: Date | null) => (date === null ? null : wholeSecond(date).getTime());
  return (
    found.serialNumber === expected.serialNumber &&
    found.reason === expected.reason &&
    second(found.revokedAt) === second(expected.revokedAt) &&
    second(found.invalidityDate) === second(expected.invalidityDate)
  );
}
