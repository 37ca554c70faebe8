import { EverleafError } from '../domain/errors.ts';
import { SECOND_MS, toInstant } from '../domain/instants.ts';
import { fingerprint } from './bundle.ts';
import { type ParsedCertificate, parseCertificate, verifySignedBy } from './certificate.ts';
import { parseDer } from './der-reader.ts';
import { readName } from './distinguished-name.ts';
import { readExtendedKeyUsage, readKeyUsage } from './extension-reader.ts';
import { type InvalidReason, invalidReasonOf } from './invalid.ts';
import { sameBytes } from './lint-findings.ts';
import { constraintAgainst, readNameConstraints } from './name-constraints.ts';
import { OID } from './oids.ts';
import { roomBelow } from './path-length.ts';
import { checkPublicKey, readPublicKey, spkiHash } from './public-key.ts';

/** An authority's certificate as somebody outside has signed it. DER. */
export interface OutsideCertificate {
  readonly certificate: Uint8Array;
  /** The certificates above it: its issuer first, the root last. */
  readonly issuers: readonly Uint8Array[];
}

export interface OutsideExpectation {
  /** Of the request that was handed out, and the common name in it. */
  readonly spkiHash: string;
  readonly commonName: string;
  readonly now: Date;
  /** It must not end before. */
  readonly neededUntil: Date;
  /** Of the SPIFFE IDs in the certificates that it will sign. */
  readonly trustDomain: string;
  /** SHA-256 of the roots that may stand above it, lower-case hex; empty for any. */
  readonly roots: readonly string[];
}

/** Roots have few authorities between themselves and those that issue; the record keeps them all in one row. */
const MOST_ISSUERS = 5;
const MOST_BYTES = 12 * 1024;

/** What verifiers of any making process, so that it may be critical (RFC 5280 section 4.2). */
const KNOWN_CRITICAL: readonly string[] = [
  OID.basicConstraints,
  OID.keyUsage,
  OID.extendedKeyUsage,
  OID.nameConstraints,
  OID.certificatePolicies,
];

/** A certificate of the path and how to speak of it. */
interface Link {
  readonly title: string;
  /** Where it stands in the request's body (RFC 6901). */
  readonly pointer: '/certificate' | '/chain';
  readonly parsed: ParsedCertificate;
}

/**
 * Checks an authority's certificate that somebody outside has signed, and the path above it, before anything of it is
 * kept: whatever it signs must verify below the root for every verifier, at once and for long enough.
 * @returns the certificate, read
 * @throws EverleafError InvalidInput: a sentence that says what is wrong, `details.reason` an InvalidReason and
 *   `details.pointer` the part of the request's body that is to blame
 */
export function checkOutsideAuthority(
  given: OutsideCertificate,
  expected: OutsideExpectation,
): ParsedCertificate {
  const path = readPath(given);
  const [own, ...issuers] = path as [Link, ...Link[]];
  checkOwn(own, expected);
  for (const link of path) checkAuthority(link, expected);
  const root = checkRoot(issuers, expected);
  const shorter = issuers.find(({ parsed }) => parsed.notAfter < own.parsed.notAfter);
  if (shorter !== undefined) {
    const end = toInstant(shorter.parsed.notAfter);
    const sentence = `The certificate outlives ${inSentence(shorter)}, which ends at ${end}.`;
    throw refused('/certificate', 'outlives-issuer', sentence);
  }
  for (const [i, issuer] of issuers.entries()) checkSigned(path[i] as Link, issuer);
  checkSigned(root, root);
  if (roomBelow(path.map(({ parsed }) => parsed)) < 0) {
    throw refused('/chain', 'path-too-long', 'An issuer in the chain allows fewer authorities below itself.');
  }
  return own.parsed;
}

function readPath({ certificate, issuers }: OutsideCertificate): Link[] {
  const bytes = [certificate, ...issuers].reduce((sum, { length }) => sum + length, 0);
  if (issuers.length > MOST_ISSUERS || bytes > MOST_BYTES) {
    throw refused(
      '/chain',
      'too-large',
      `The chain has ${issuers.length} certificates, ${bytes} bytes with the authority's own: at most ${MOST_ISSUERS} and ${MOST_BYTES} fit.`,
    );
  }
  return [
    { title: 'The certificate', pointer: '/certificate', der: certificate } as const,
    ...issuers.map(
      (der, i) => ({ title: `Certificate ${i + 1} of the chain`, pointer: '/chain', der }) as const,
    ),
  ].map(({ title, pointer, der }) => ({
    title,
    pointer,
    parsed: told(title, pointer, () => parseCertificate(der)),
  }));
}

/** What only our own certificate must be. */
function checkOwn(
  { title, pointer, parsed }: Link,
  { commonName, neededUntil, ...expected }: OutsideExpectation,
): void {
  const own = (reason: InvalidReason, sentence: string) => refused('/certificate', reason, sentence);
  if (spkiHash(parsed.spki) !== expected.spkiHash) {
    throw own('wrong-key', 'The certificate is for another key than the request that was handed out.');
  }
  const subject = readName(parseDer(parsed.subjectDer), 'the subject');
  const [only] = subject;
  if (subject.length !== 1 || only?.oid !== OID.commonName || only.value !== commonName) {
    throw own(
      'wrong-subject',
      `The certificate's subject is not "CN=${commonName}" alone, as the request has it.`,
    );
  }
  if (parsed.subjectKeyId === null || parsed.subjectKeyId.length === 0) {
    throw own('no-key-identifier', 'The certificate has no subject key identifier (RFC 5280, 4.2.1.2).');
  }
  const usages = told(title, pointer, () => usagesOf(parsed));
  if (usages === null || !usages.includes('cRLSign') || !usages.includes('keyCertSign')) {
    throw own('not-an-authority', 'The certificate has no key usage with both keyCertSign and cRLSign.');
  }
  if (parsed.notAfter < neededUntil) {
    throw own(
      'ends-too-soon',
      `The certificate ends at ${toInstant(parsed.notAfter)}. It must last until ${toInstant(neededUntil)} at least: ` +
        "twice the life of a client's certificate from now.",
    );
  }
}

/** What every authority of the path must be, the root as well: verifiers differ in how much of it they look at. */
function checkAuthority({ title, pointer, parsed }: Link, { now, trustDomain }: OutsideExpectation): void {
  const { extensions, basicConstraints, notBefore, notAfter } = parsed;
  const no = (reason: InvalidReason, sentence: string) => refused(pointer, reason, `${title} ${sentence}.`);
  told(title, pointer, () => checkPublicKey(readPublicKey(parsed.spki)));
  const constraints = extensions.get(OID.basicConstraints);
  if (basicConstraints?.isAuthority !== true || constraints?.critical !== true) {
    throw no('not-an-authority', 'is not an authority by critical basic constraints');
  }
  const usages = told(title, pointer, () => usagesOf(parsed));
  if (usages?.includes('keyCertSign') === false) {
    throw no('not-an-authority', 'has a key usage without keyCertSign');
  }
  // notAfter is the last second that counts in (RFC 5280, 4.1.2.5).
  if (now < notBefore || now.getTime() >= notAfter.getTime() + SECOND_MS) {
    throw no(
      'not-in-force',
      `is in force from ${toInstant(notBefore)} to ${toInstant(notAfter)}, and not now`,
    );
  }
  const purposes = extensions.get(OID.extendedKeyUsage);
  const allowed = purposes && told(title, pointer, () => readExtendedKeyUsage(purposes.value));
  const isWide = (oids: string[]) =>
    oids.includes(OID.anyExtendedKeyUsage) ||
    [OID.clientAuth, OID.serverAuth].every((oid) => oids.includes(oid));
  if (allowed !== undefined && !isWide(allowed)) {
    throw no('narrow-purposes', 'has an extended key usage without both clientAuth and serverAuth');
  }
  const names = extensions.get(OID.nameConstraints);
  const against =
    names && told(title, pointer, () => constraintAgainst(readNameConstraints(names.value), trustDomain));
  if (against != null) throw no('narrow-names', `has name constraints: ${against}`);
  const odd = [...extensions.values()].find(({ oid, critical }) => critical && !KNOWN_CRITICAL.includes(oid));
  if (odd !== undefined) {
    throw no(
      'unknown-critical-extension',
      `has the critical extension ${odd.oid}, which verifiers may not know`,
    );
  }
}

function usagesOf({ extensions }: ParsedCertificate) {
  const usage = extensions.get(OID.keyUsage);
  return usage === undefined ? null : readKeyUsage(usage.value);
}

/** The last certificate of the chain: the trust anchor from now on. */
function checkRoot(issuers: readonly Link[], { roots }: OutsideExpectation): Link {
  const root = issuers.at(-1);
  if (root === undefined) {
    throw refused(
      '/chain',
      'no-root',
      'The chain is empty: give the issuers of the certificate, the root last.',
    );
  }
  if (!sameBytes(root.parsed.issuerDer, root.parsed.subjectDer)) {
    throw refused(
      '/chain',
      'no-root',
      `${root.title} is the last and not self-signed: the root must stand there.`,
    );
  }
  if (roots.length > 0 && !roots.includes(fingerprint(root.parsed.der))) {
    throw refused(
      '/chain',
      'unexpected-root',
      `The root has the SHA-256 ${fingerprint(root.parsed.der)}, which is not among those of AUTHORITY_ROOT_SHA256.`,
    );
  }
  return root;
}

/** One link of the path, RFC 5280 section 6.1.3: name, key identifier, signature. */
function checkSigned({ title, pointer, parsed }: Link, issuer: Link): void {
  const no = (reason: InvalidReason, sentence: string) => refused(pointer, reason, `${title} ${sentence}.`);
  const by = issuer.parsed === parsed ? 'itself' : inSentence(issuer);
  if (!sameBytes(parsed.issuerDer, issuer.parsed.subjectDer)) {
    throw no('broken-path', `names an issuer that is not the subject of ${by}, byte for byte`);
  }
  const { authorityKeyId } = parsed;
  if (authorityKeyId !== null && issuer.parsed.subjectKeyId !== null) {
    if (!sameBytes(authorityKeyId, issuer.parsed.subjectKeyId)) {
      throw no('broken-path', `has an authority key identifier that is not that of ${by}`);
    }
  }
  if (!told(title, pointer, () => verifySignedBy(parsed, issuer.parsed.spki))) {
    throw no('broken-path', `has a signature that ${by} has not made`);
  }
}

function inSentence({ title }: Link): string {
  return title.charAt(0).toLowerCase() + title.slice(1);
}

function refused(pointer: Link['pointer'], reason: InvalidReason, sentence: string): EverleafError {
  return new EverleafError('InvalidInput', sentence, { details: { reason, pointer } });
}

/** Has a reader's clause say what was read. */
function told<T>(title: string, pointer: Link['pointer'], read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = invalidReasonOf(error);
    if (reason === null || !(error instanceof Error)) throw error;
    throw refused(pointer, reason, `${title} is refused: ${error.message}.`);
  }
}
