import { createPublicKey, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { KeyType, StoredKey } from './model.ts';

const generate = promisify(generateKeyPair);

/** Makes a private key, on a thread of its own: an RSA key of 4096 bits takes seconds that others must not wait. */
export async function generateKey(type: KeyType, keyUsage: readonly string[]): Promise<StoredKey> {
  const { privateKey } =
    type.kty === 'RSA'
      ? await generate('rsa', { modulusLength: type.keySize, publicExponent: 65537 })
      : await generate('ec', { namedCurve: type.crv });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { pem, type, keyOps: keyOperations(type, keyUsage) };
}

/** The public half of a key. */
export function publicKeyOf(key: StoredKey): KeyObject {
  return createPublicKey(key.pem);
}

/**
 * What a certificate's key may do, from the key usage of its policy (Microsoft Learn, "About Azure Key Vault
 * certificates", mapping X.509 usage to key operations). An EC key knows sign and verify only.
 */
export function keyOperations(type: KeyType, keyUsage: readonly string[]): string[] {
  return possibleOperations(
    type,
    keyUsage.flatMap((usage) => OPERATIONS[usage] ?? []),
  );
}

/** Those of the operations that a key of this type can do, each once. */
export function possibleOperations(type: KeyType, asked: readonly string[]): string[] {
  const possible = type.kty === 'EC' ? ['sign', 'verify'] : ALL_OPERATIONS;
  return possible.filter((operation) => asked.includes(operation));
}

export const ALL_OPERATIONS = ['encrypt', 'decrypt', 'sign', 'verify', 'wrapKey', 'unwrapKey'] as const;

const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  digitalSignature: ['sign', 'verify'],
  nonRepudiation: ['sign', 'verify'],
  keyCertSign: ['sign', 'verify'],
  cRLSign: ['sign', 'verify'],
  keyEncipherment: ['wrapKey', 'unwrapKey'],
  dataEncipherment: ['encrypt', 'decrypt'],
  decipherOnly: ['decrypt'],
  encipherOnly: ['encrypt'],
};
