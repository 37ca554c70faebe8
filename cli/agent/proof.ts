import { createHash, randomUUID, X509Certificate } from 'node:crypto';
import { signingKey } from './keys.ts';

export interface ProofFacts {
  /** The key of the current certificate. */
  readonly keyPem: string;
  readonly certificatePem: string;
  readonly method: string;
  /** The server's public base URL and the path, without a query. */
  readonly url: string;
  /** The body's exact text; null for none. */
  readonly body: string | null;
  readonly now: Date;
}

/**
 * The value of `X-Everleaf-Proof`: a compact JWS (RFC 7515) that ties one request to the key of a certificate. Its claims are
 * those of DPoP (RFC 9449, 4.2), with `body`, the SHA-256 of the body, beside them.
 */
export function requestProof({ keyPem, certificatePem, method, url, body, now }: ProofFacts): string {
  const { jwsAlgorithm, signJws } = signingKey(keyPem);
  // x5c is base64, not base64url (RFC 7515, 4.1.6).
  const header = {
    alg: jwsAlgorithm,
    typ: 'JWT',
    x5c: [new X509Certificate(certificatePem).raw.toString('base64')],
  };
  const claims = {
    htm: method,
    htu: url,
    iat: Math.floor(now.getTime() / 1000),
    jti: randomUUID(),
    ...(body === null ? {} : { body: createHash('sha256').update(body, 'utf8').digest('base64url') }),
  };
  const signedText = `${encoded(header)}.${encoded(claims)}`;
  return `${signedText}.${signJws(Buffer.from(signedText, 'latin1')).toString('base64url')}`;
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value), 'utf8').toString('base64url');
}
