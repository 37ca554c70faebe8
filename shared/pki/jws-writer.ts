import { toBase64Url } from '../domain/encoding.ts';
import { parseCertificate } from './certificate.ts';
import { ecdsaRawToDer } from './signature.ts';
import { verifySignature } from './signature-scheme.ts';

/** A compact JWS (RFC 7515, 7.1) of a JSON text that wants its signature, ES256 by the key of a certificate. */
export interface UnsignedJws {
  /** `<header>.<payload>`: what is signed (RFC 7515, 5.1). */
  readonly signingInput: string;
}

/**
 * Prepares a JWS whose header carries the signer's certificate (`x5c`, RFC 7515, 4.1.6: standard base64).
 * @param payload JSON
 */
export function prepareJws(payload: string, certificate: Uint8Array): UnsignedJws {
  const header = JSON.stringify({ alg: 'ES256', x5c: [Buffer.from(certificate).toString('base64')] });
  const encode = (text: string) => toBase64Url(new TextEncoder().encode(text));
  return { signingInput: `${encode(header)}.${encode(payload)}` };
}

/**
 * Finishes a JWS.
 * @param signature r and s, 64 bytes (RFC 7518, 3.4)
 * @returns null when the signature is not of the certificate's key
 */
export function finishJws(
  { signingInput }: UnsignedJws,
  certificate: Uint8Array,
  signature: Uint8Array,
): string | null {
  const scheme = { kind: 'ECDSA', keyType: 'EC', hash: 'sha256' } as const;
  const { spki } = parseCertificate(certificate);
  const isGenuine =
    signature.length === 64 &&
    verifySignature(scheme, spki, new TextEncoder().encode(signingInput), ecdsaRawToDer(signature));
  return isGenuine ? `${signingInput}.${toBase64Url(signature)}` : null;
}

/** The payload of a compact JWS, as text; nothing is verified. Null for what has not the form of one. */
export function jwsPayload(jws: string): string | null {
  const parts = jws.split('.');
  return parts.length === 3 ? Buffer.from(parts[1] ?? '', 'base64url').toString('utf8') : null;
}
