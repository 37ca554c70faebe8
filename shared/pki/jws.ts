import { fromBase64Url } from '../domain/encoding.ts';
import { type ParsedCertificate, parseCertificate } from './certificate.ts';
import { invalid } from './invalid.ts';
import { checkPublicKeyForm, type PublicKeyInfo, readPublicKey } from './public-key.ts';
import { ecdsaRawToDer } from './signature.ts';
import { type SignatureScheme, verifySignature } from './signature-scheme.ts';

/** An agent's proof has its certificate in the header and a handful of claims: all of it fits into this. */
const MAXIMUM_HEADER_BYTES = 8 * 1024;
const MAXIMUM_PAYLOAD_BYTES = 2 * 1024;

interface JwsAlgorithm {
  readonly scheme: SignatureScheme;
  /** Length of the signature (RFC 7518, 3.4); null for RSA, where the key decides. */
  readonly signatureBytes: number | null;
}

const ECDSA = (hash: 'sha256' | 'sha384' | 'sha512', signatureBytes: number): JwsAlgorithm => ({
  scheme: { kind: 'ECDSA', keyType: 'EC', hash },
  signatureBytes,
});

/** Which algorithms a key may sign with (RFC 7518, 3.1): the key decides, and the header only picks (RFC 8725, 3.1). */
const ALGORITHMS: Readonly<Record<'RSA' | 'P-256' | 'P-384' | 'P-521', Record<string, JwsAlgorithm>>> = {
  'P-256': { ES256: ECDSA('sha256', 64) },
  'P-384': { ES384: ECDSA('sha384', 96) },
  'P-521': { ES512: ECDSA('sha512', 132) },
  RSA: {
    RS256: { scheme: { kind: 'RSA-PKCS1', keyType: 'RSA', hash: 'sha256' }, signatureBytes: null },
    PS256: {
      scheme: { kind: 'RSA-PSS', keyType: 'RSA', hash: 'sha256', saltBytes: 32 },
      signatureBytes: null,
    },
  },
};

/** A compact JWS (RFC 7515, 7.1) that brings its certificate along. */
export interface CertifiedJws {
  /** The one certificate of `x5c`. Nothing says yet that it is anybody's. */
  readonly certificate: ParsedCertificate;
  /** What the payload says: a JSON object. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Whether the signature was made by the certificate's key. */
  verify(): boolean;
}

/**
 * Reads a compact JWS whose header names its key by `x5c` with exactly one certificate, signed with ES256, ES384,
 * ES512, RS256 or PS256, whichever fits that key. `crit` is refused, because no extension is understood here
 * (RFC 7515, 4.1.11); other members of the header mean nothing.
 * @throws EverleafError InvalidInput with reason `too-large`, `malformed`, `unsupported-signature-algorithm`, or one of
 *   `parseCertificate` and `readPublicKey`
 */
export function readCertifiedJws(text: string): CertifiedJws {
  const [encodedHeader = '', encodedPayload = '', encodedSignature, ...rest] = text.split('.');
  if (encodedSignature === undefined || rest.length > 0) {
    throw invalid('malformed', 'the text is no compact JWS: expected three parts with a dot between them');
  }
  const header = readJson(encodedHeader, MAXIMUM_HEADER_BYTES, 'the header');
  const claims = readJson(encodedPayload, MAXIMUM_PAYLOAD_BYTES, 'the payload');
  const signature = decode(encodedSignature, MAXIMUM_PAYLOAD_BYTES, 'the signature');
  if (Object.hasOwn(header, 'crit')) {
    throw invalid('malformed', 'the header has "crit", and no extension of JWS is understood');
  }
  const certificate = readCertificate(header['x5c']);
  const key = readPublicKey(certificate.spki);
  checkPublicKeyForm(key);
  const { scheme, signatureBytes } = algorithmFor(key, header['alg']);
  const signed = new TextEncoder().encode(`${encodedHeader}.${encodedPayload}`);
  return {
    certificate,
    claims,
    verify: () => {
      if (signatureBytes === null) return verifySignature(scheme, certificate.spki, signed, signature);
      if (signature.length !== signatureBytes) return false;
      return verifySignature(scheme, certificate.spki, signed, ecdsaRawToDer(signature));
    },
  };
}

function decode(text: string, maximumBytes: number, name: string): Uint8Array {
  if (text.length > Math.ceil((maximumBytes * 4) / 3)) {
    throw invalid('too-large', `${name} is larger than ${maximumBytes} bytes`);
  }
  const bytes = fromBase64Url(text);
  if (bytes === null) throw invalid('malformed', `${name} is not canonical base64url`);
  return bytes;
}

function readJson(text: string, maximumBytes: number, name: string): Readonly<Record<string, unknown>> {
  const bytes = decode(text, maximumBytes, name);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalid('malformed', `${name} is not JSON in UTF-8`, cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid('malformed', `${name} is no JSON object`);
  }
  return value as Record<string, unknown>;
}

/** RFC 7515, 4.1.6: standard base64 of DER. One certificate alone, because no path is ever built. */
function readCertificate(chain: unknown): ParsedCertificate {
  const [only, ...others] = Array.isArray(chain) ? chain : [];
  if (typeof only !== 'string' || others.length > 0) {
    throw invalid('malformed', 'the header has no "x5c" with the certificate alone');
  }
  const der = Buffer.from(only, 'base64');
  if (der.toString('base64') !== only) throw invalid('malformed', 'the certificate is not canonical base64');
  return parseCertificate(Uint8Array.from(der));
}

function algorithmFor(key: PublicKeyInfo, name: unknown): JwsAlgorithm {
  const allowed = ALGORITHMS[key.type === 'RSA' ? 'RSA' : key.curve];
  const found = typeof name === 'string' && Object.hasOwn(allowed, name) ? allowed[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(allowed).join(' or ');
  throw invalid(
    'unsupported-signature-algorithm',
    `the algorithm does not fit the key, expected ${names} in "alg"`,
  );
}
