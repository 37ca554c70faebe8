import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { keptRsaKey } from '../../../support/kept-keys.ts';

export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly spki: Uint8Array;
}

export type KeyKind = 'RSA-2048' | 'RSA-3072' | 'RSA-4096' | 'P-256' | 'P-384' | 'P-521';

export const KEY_KINDS: readonly KeyKind[] = ['RSA-2048', 'RSA-3072', 'RSA-4096', 'P-256', 'P-384', 'P-521'];

const made = new Map<string, KeyPair>();

/**
 * One key pair of that kind and owner for the whole test file: making RSA keys is the slowest part of these tests.
 */
export function keyPair(kind: KeyKind, owner = 'client'): KeyPair {
  const known = made.get(`${owner} ${kind}`);
  if (known !== undefined) return known;
  const fresh = kind.startsWith('RSA-') ? keptRsaPair(owner, Number(kind.slice(4))) : newKeyPair(kind);
  made.set(`${owner} ${kind}`, fresh);
  return fresh;
}

function keptRsaPair(owner: string, modulusLength: number): KeyPair {
  const privateKey = keptRsaKey(owner.replaceAll(/\W/g, '-'), modulusLength);
  const publicKey = createPublicKey(privateKey);
  return { privateKey, publicKey, spki: spkiOf(publicKey) };
}

export function newKeyPair(kind: KeyKind): KeyPair {
  const pair = kind.startsWith('RSA-')
    ? generateKeyPairSync('rsa', { modulusLength: Number(kind.slice(4)) })
    : generateKeyPairSync('ec', { namedCurve: kind });
  return { ...pair, spki: spkiOf(pair.publicKey) };
}

export function spkiOf(key: KeyObject): Uint8Array {
  return Uint8Array.from(key.export({ type: 'spki', format: 'der' }));
}

/** The SubjectPublicKeyInfo of any RSA modulus, good or bad. */
export function rsaSpki(modulus: bigint, exponent = 65537n): Uint8Array {
  const digits = (value: bigint) =>
    value.toString(16).padStart(value.toString(16).length + (value.toString(16).length % 2), '0');
  const base64url = (value: bigint) => Buffer.from(digits(value), 'hex').toString('base64url');
  return spkiOf(
    createPublicKey({ key: { kty: 'RSA', n: base64url(modulus), e: base64url(exponent) }, format: 'jwk' }),
  );
}
