import { createPrivateKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import { NULL, objectIdentifier, sequence } from './der.ts';

/** The cloud agent's own clients know RSA alone; Everleaf takes P-256 as well, which is made in a moment. */
export const KEY_TYPES = ['rsa-2048', 'ec-p256'] as const;
export type KeyType = (typeof KEY_TYPES)[number];

const generate = promisify(generateKeyPair);

/** A new private key in PEM: PKCS#1 for RSA, as the cloud agent's clients write it, SEC 1 for EC. */
export async function newKey(type: KeyType): Promise<string> {
  if (type === 'rsa-2048') {
    const { privateKey } = await generate('rsa', { modulusLength: 2048 });
    return privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();
  }
  const { privateKey } = await generate('ec', { namedCurve: 'P-256' });
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString();
}

/** SHA-256 signatures of a key of one of our two types, under the names that X.509 and JOSE have for them. */
export interface SigningKey {
  readonly key: KeyObject;
  /** AlgorithmIdentifier, DER (RFC 8017 A.2.4: with NULL; RFC 5758 3.2: without). */
  readonly algorithm: Buffer;
  /** RFC 7518, 3.1. */
  readonly jwsAlgorithm: 'RS256' | 'ES256';
  /** As X.509 wants it: for EC the DER of r and s. */
  signDer(message: Uint8Array): Buffer;
  /** As JWS wants it: for EC r and s side by side (RFC 7518, 3.4). */
  signJws(message: Uint8Array): Buffer;
}

export function signingKey(pem: string): SigningKey {
  const key = createPrivateKey(pem);
  const isRsa = key.asymmetricKeyType === 'rsa';
  return {
    key,
    algorithm: isRsa
      ? sequence(objectIdentifier('1.2.840.113549.1.1.11'), NULL)
      : sequence(objectIdentifier('1.2.840.10045.4.3.2')),
    jwsAlgorithm: isRsa ? 'RS256' : 'ES256',
    signDer: (message) => sign('sha256', message, key),
    signJws: (message) => sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' }),
  };
}
