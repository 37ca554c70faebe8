import { constants, createHash, sign } from 'node:crypto';
import type { KeyPair } from '../unit/pki/support/keys.ts';

/** Parts of a proof to replace; what is left out is as a good agent would write it. */
export interface ProofParts {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly key: Pick<KeyPair, 'privateKey'>;
  readonly method?: string;
  /** From the first slash on. */
  readonly path: string;
  readonly body?: string | null;
  readonly now: Date;
  readonly baseUrl?: string;
  readonly alg?: string;
  /** Laid over the header and the claims; undefined takes a member away. */
  readonly header?: Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
}

let proofs = 0;

/** A proof as an agent sends it, written by hand with node:crypto: it shares nothing with the product's reader. */
export function makeProof(parts: ProofParts): string {
  const { method = 'POST', body = null, baseUrl = 'https://everleaf.test' } = parts;
  const alg = parts.alg ?? algorithmOf(parts.key);
  proofs += 1;
  const header = { alg, x5c: [Buffer.from(parts.certificate).toString('base64')], ...parts.header };
  const claims = {
    htm: method,
    htu: baseUrl + parts.path,
    iat: Math.floor(parts.now.getTime() / 1000),
    jti: `proof-${proofs}`,
    ...(body === null ? {} : { body: createHash('sha256').update(body).digest('base64url') }),
    ...parts.claims,
  };
  const signed = `${base64UrlJson(header)}.${base64UrlJson(claims)}`;
  return `${signed}.${signJws(alg, signed, parts.key).toString('base64url')}`;
}

export function base64UrlJson(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

export function signJws(alg: string, text: string, { privateKey }: Pick<KeyPair, 'privateKey'>): Buffer {
  const data = Buffer.from(text);
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('ES')) return sign(hash, data, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const padding = alg.startsWith('PS') ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  return sign(hash, data, { key: privateKey, padding, ...(alg.startsWith('PS') ? { saltLength: 32 } : {}) });
}

function algorithmOf({ privateKey }: Pick<KeyPair, 'privateKey'>): string {
  const curve = privateKey.asymmetricKeyDetails?.namedCurve;
  const byCurve: Record<string, string> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' };
  return byCurve[curve ?? ''] ?? 'RS256';
}
