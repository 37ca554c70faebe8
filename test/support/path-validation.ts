/**
 * What a relying party does with a certificate, written for tests: certification path validation after RFC 5280, section
 * 6.1, as far as these certificates need it. Nothing of the product is in it: signatures, names and dates are Node's, and
 * the extensions are read here. test/unit/support/path-validation.test.ts holds it against `openssl verify`.
 */
import { X509Certificate } from 'node:crypto';

/** What the certificate at the end of a path is shown for. */
export type Use = 'client' | 'server';

/** A stretch of time in milliseconds since 1970; `to` is the first moment that is no part of it. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** A certificate as far as path validation looks at it. */
export interface PathCertificate {
  readonly pem: string;
  readonly fingerprint: string;
  readonly x509: X509Certificate;
  readonly dates: Period;
  /** basicConstraints says CA, and keyUsage, which may be left out, keyCertSign: 6.1.4 (k) and (n). */
  readonly mayIssue: boolean;
  /** So many authorities may stand between it and the end of the path; null for any number. */
  readonly pathLength: number | null;
  readonly uses: readonly Use[];
  /** It has a critical extension that nobody here understands: 6.1.4 (o) and 6.1.5 (e). */
  readonly isForeign: boolean;
}

/** OIDs as hex of their content octets. */
const KEY_USAGE = '551d0f';
const ALTERNATIVE_NAME = '551d11';
const CONSTRAINTS = '551d13';
const EXTENDED_KEY_USAGE = '551d25';
const UNDERSTOOD = [KEY_USAGE, ALTERNATIVE_NAME, CONSTRAINTS, EXTENDED_KEY_USAGE];
/** Bits of keyUsage, in its first octet: digitalSignature is bit 0, keyCertSign bit 5. */
const DIGITAL_SIGNATURE = 0x80;
const CERT_SIGN = 0x04;
/** id-kp-clientAuth and id-kp-serverAuth. */
const PURPOSES: Readonly<Record<Use, string>> = { client: '2b06010505070302', server: '2b06010505070301' };
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Every certificate of a PEM text, in its order. */
export function readCertificates(pem: string): readonly PathCertificate[] {
  return (pem.match(PEM) ?? []).map(readCertificate);
}

function readCertificate(pem: string): PathCertificate {
  const certificate = new X509Certificate(pem);
  const extensions = readExtensions(certificate.raw);
  const find = (wanted: string) => extensions.find(({ oid }) => oid === wanted)?.value ?? null;
  const [keyUsage] = childrenOf(find(KEY_USAGE));
  const [constraints] = childrenOf(find(CONSTRAINTS));
  const purposes = childrenOf(childrenOf(find(EXTENDED_KEY_USAGE))[0]?.content ?? null).map(hexOf);
  // The first octet of a BIT STRING counts its unused bits.
  const allows = (bit: number) => keyUsage === undefined || ((keyUsage.content[1] ?? 0) & bit) !== 0;
  const isUseFor = (use: Use) => purposes.length === 0 || purposes.includes(PURPOSES[use]);
  const parts = childrenOf(constraints?.content ?? null);
  return {
    pem,
    fingerprint: certificate.fingerprint256,
    x509: certificate,
    // Both ends count (4.1.2.5), and yet OpenSSL refuses the last second: nobody is to depend on it.
    dates: { from: certificate.validFromDate.getTime(), to: certificate.validToDate.getTime() },
    mayIssue: parts.some(({ tag, content }) => tag === BOOLEAN && content[0] === 0xff) && allows(CERT_SIGN),
    pathLength: parts.find(({ tag }) => tag === INTEGER)?.content[0] ?? null,
    uses: allows(DIGITAL_SIGNATURE) ? (['client', 'server'] as const).filter(isUseFor) : [],
    isForeign: extensions.some(({ oid, isCritical }) => isCritical && !UNDERSTOOD.includes(oid)),
  };
}

const BOOLEAN = 0x01;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;
/** `[3]`, in which the extensions stand at the end of the TBSCertificate (4.1). */
const EXTENSIONS = 0xa3;

/** An element of DER. */
interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
}

function readExtensions(der: Uint8Array): readonly { oid: string; isCritical: boolean; value: Uint8Array }[] {
  const [tbs] = childrenOf(childrenOf(der)[0]?.content ?? null);
  const wrapped = childrenOf(tbs?.content ?? null).find(({ tag }) => tag === EXTENSIONS);
  const [list] = childrenOf(wrapped?.content ?? null);
  return childrenOf(list?.content ?? null).map(({ content }) => {
    const parts = childrenOf(content);
    return {
      oid: parts[0] === undefined ? '' : hexOf(parts[0]),
      isCritical: parts.some(({ tag }) => tag === BOOLEAN),
      value: parts.find(({ tag }) => tag === OCTET_STRING)?.content ?? new Uint8Array(),
    };
  });
}

/** The elements that stand one after the other in these bytes. Node has read the whole certificate before: it is DER. */
function childrenOf(bytes: Uint8Array | null): readonly Element[] {
  const elements: Element[] = [];
  for (let at = 0; bytes !== null && at < bytes.length; ) {
    const [tag = 0, short = 0] = bytes.subarray(at, at + 2);
    const lengthOctets = short < 0x80 ? 0 : short & 0x7f;
    const start = at + 2 + lengthOctets;
    const long = bytes.subarray(at + 2, start).reduce((sum, byte) => sum * 256 + byte, 0);
    const end = start + (lengthOctets === 0 ? short : long);
    elements.push({ tag, content: bytes.subarray(start, end) });
    at = end;
  }
  return elements;
}

function hexOf({ content }: Element): string {
  return Buffer.from(content).toString('hex');
}

/**
 * When somebody who trusts `anchors` accepts a certificate that comes with a chain: one period for each path from it to
 * an anchor. As OpenSSL does it, dates and path length of the anchor count too, which 6.1.1 (d) leaves open.
 * @param chain what the other side has sent beside it, in any order; trusted is none of it
 */
export function acceptedPeriods(
  leaf: PathCertificate,
  chain: readonly PathCertificate[],
  anchors: readonly PathCertificate[],
  use: Use,
): readonly Period[] {
  if (leaf.isForeign || !leaf.uses.includes(use)) return [];
  return pathsFrom([leaf], 0, chain, anchors).map((path) => ({
    from: Math.max(...path.map(({ dates }) => dates.from)),
    to: Math.min(...path.map(({ dates }) => dates.to)),
  }));
}

/**
 * Every path that goes on from the last certificate of `path`.
 * @param below authorities in the path so far, but for self-issued ones: 6.1.4 (l)
 */
function pathsFrom(
  path: readonly PathCertificate[],
  below: number,
  chain: readonly PathCertificate[],
  anchors: readonly PathCertificate[],
): readonly (readonly PathCertificate[])[] {
  const last = path.at(-1);
  if (last === undefined) return [];
  const isNext = (one: PathCertificate) =>
    one.mayIssue && !one.isForeign && (one.pathLength ?? below) >= below && hasIssued(one, last);
  const ends = anchors.filter(isNext).map((anchor) => [...path, anchor]);
  const longer = chain
    .filter((one) => !path.includes(one) && isNext(one))
    .flatMap((one) => pathsFrom([...path, one], below + (isSelfIssued(one) ? 0 : 1), chain, anchors));
  return [...ends, ...longer];
}

function isSelfIssued({ x509: { subject, issuer } }: PathCertificate): boolean {
  return subject === issuer;
}

const issued = new Map<string, boolean>();

/** Names, key identifiers and signature. A signature that was looked at once is not looked at again. */
function hasIssued(issuer: PathCertificate, certificate: PathCertificate): boolean {
  const key = `${issuer.fingerprint} ${certificate.fingerprint}`;
  const known = issued.get(key);
  if (known !== undefined) return known;
  const isTrue = certificate.x509.checkIssued(issuer.x509) && certificate.x509.verify(issuer.x509.publicKey);
  issued.set(key, isTrue);
  return isTrue;
}
