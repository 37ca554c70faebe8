/**
 * What a relying party does with a certificate, written for tests: certification path validation after RFC 5280, section
 * 6.1, as far as these certificates need it. Nothing of the product is in it: signatures and names are Node's, the
 * extensions @peculiar/x509's. test/unit/support/path-validation.test.ts holds it against `openssl verify`.
 */
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';

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

const UNDERSTOOD = ['2.5.29.15', '2.5.29.17', '2.5.29.19', '2.5.29.37'];
const PURPOSES: Readonly<Record<Use, string>> = { client: '1.3.6.1.5.5.7.3.2', server: '1.3.6.1.5.5.7.3.1' };
const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Every certificate of a PEM text, in its order. */
export function readCertificates(pem: string): readonly PathCertificate[] {
  return (pem.match(PEM) ?? []).map(readCertificate);
}

function readCertificate(pem: string): PathCertificate {
  const certificate = new X509Certificate(pem);
  const { extensions } = new x509.X509Certificate(certificate.raw);
  const constraints = extensions.find((one) => one instanceof x509.BasicConstraintsExtension);
  const keyUsage = extensions.find((one) => one instanceof x509.KeyUsagesExtension)?.usages ?? null;
  const purposes = extensions.find((one) => one instanceof x509.ExtendedKeyUsageExtension)?.usages ?? null;
  const allows = (flag: x509.KeyUsageFlags) => keyUsage === null || (keyUsage & flag) !== 0;
  const uses = (['client', 'server'] as const).filter(
    (use) => purposes === null || purposes.includes(PURPOSES[use]),
  );
  return {
    pem,
    fingerprint: certificate.fingerprint256,
    x509: certificate,
    // Both ends count (4.1.2.5), and yet OpenSSL refuses the last second: nobody is to depend on it.
    dates: { from: certificate.validFromDate.getTime(), to: certificate.validToDate.getTime() },
    mayIssue: constraints?.ca === true && allows(x509.KeyUsageFlags.keyCertSign),
    pathLength: constraints?.pathLength ?? null,
    uses: allows(x509.KeyUsageFlags.digitalSignature) ? uses : [],
    isForeign: extensions.some(({ critical, type }) => critical && !UNDERSTOOD.includes(type)),
  };
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
