import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { BadAnswer, dateIn } from './http.ts';
import { certificatesIn } from './pem.ts';
import type { Current } from './state.ts';

const HOUR_MS = 3_600_000;

/** What a login or a renewal brought. */
export interface Issued {
  readonly current: Current;
  readonly bundle: { readonly id: string; readonly pem: string };
  readonly token: TokenDates | null;
  readonly warnings: readonly string[];
}

export interface TokenDates {
  readonly expiresAt: string;
  readonly rotateAt: string;
}

/**
 * Reads the answer of a login or a renewal, and believes nothing of it that can be checked: the certificate must be for our
 * key and signed by an authority of the bundle, and its dates are read from itself.
 * @param random from 0 up to but not 1: where in the jitter after renewAfter the renewal goes
 * @throws BadAnswer when it is not as agreed; the same request may be sent again
 */
export function readIssued(answer: Record<string, unknown>, keyPem: string, random: number): Issued {
  const leaf = parseCertificate(text(answer, 'certificate'));
  if (!leaf.checkPrivateKey(createPrivateKey(keyPem)))
    throw new BadAnswer('The certificate is for another key.');
  const bundlePem = text(answer, 'caBundle');
  const chainPem = typeof answer['chain'] === 'string' ? answer['chain'] : '';
  const issuers = certificatesIn(bundlePem + chainPem).map(parseCertificate);
  if (!issuers.some((issuer) => leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey))) {
    throw new BadAnswer('No authority of the bundle has signed the certificate.');
  }
  const [notBefore, notAfter] = [new Date(leaf.validFrom), new Date(leaf.validTo)];
  const renewAfter = dateIn(answer['renewAfter']);
  if (renewAfter === null) throw new BadAnswer('The answer does not say when to renew.');
  return {
    current: {
      keyPem,
      certificatePem: text(answer, 'certificate'),
      chainPem,
      serialNumber: leaf.serialNumber.toLowerCase(),
      notBefore: notBefore.toISOString(),
      notAfter: notAfter.toISOString(),
      renewAt: renewalMoment(renewAfter, notBefore, notAfter, random).toISOString(),
    },
    bundle: { id: bundleIdOf(bundlePem), pem: bundlePem },
    token: readTokenDates(answer['token']),
    warnings: Array.isArray(answer['warnings']) ? answer['warnings'].map(String) : [],
  };
}

/**
 * The server spreads a fleet over a tenth of a life by renewAfter; the jitter, at most an hour and 1 % of the life, keeps
 * apart what has the same renewAfter, such as everything that an operator asked to renew now.
 */
export function renewalMoment(renewAfter: Date, notBefore: Date, notAfter: Date, random: number): Date {
  const lifeMs = notAfter.getTime() - notBefore.getTime();
  const wanted = renewAfter.getTime() + random * Math.min(HOUR_MS, lifeMs / 100);
  // A server that names a moment after the end is mistaken; at half its life every certificate is due.
  return new Date(renewAfter < notAfter ? wanted : notBefore.getTime() + lifeMs / 2);
}

/** @returns null when the answer says nothing of the token */
export function readTokenDates(value: unknown): TokenDates | null {
  if (typeof value !== 'object' || value === null) return null;
  const { expiresAt, rotateAfter, rotationDue } = value as Record<string, unknown>;
  const [end, rotate] = [dateIn(expiresAt), dateIn(rotateAfter)];
  if (end === null || rotate === null) return null;
  const rotateAt = rotationDue === true ? new Date(0) : rotate;
  return { expiresAt: end.toISOString(), rotateAt: rotateAt.toISOString() };
}

/**
 * The name of a bundle: SHA-256 over the sorted SHA-256 fingerprints of its certificates.
 * @throws BadAnswer when there is none in it
 */
export function bundleIdOf(pem: string): string {
  const fingerprints = certificatesIn(pem).map((certificate) =>
    createHash('sha256').update(parseCertificate(certificate).raw).digest('hex'),
  );
  if (fingerprints.length === 0) throw new BadAnswer('The bundle holds no certificate.');
  const hash = createHash('sha256');
  for (const fingerprint of [...new Set(fingerprints)].sort()) hash.update(fingerprint, 'hex');
  return hash.digest('hex');
}

function parseCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new BadAnswer('The answer holds a certificate that cannot be read.');
  }
}

function text(answer: Record<string, unknown>, key: string): string {
  const value = answer[key];
  if (typeof value !== 'string') throw new BadAnswer(`The answer has no "${key}".`);
  return value;
}
