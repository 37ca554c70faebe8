/** The one key of the local identity provider. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import { ensurePrivateDirectory, writePrivateFile } from '../supervisor/files.ts';

export interface SigningKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** As published in the key set: public parts, kid, alg and use. */
  readonly publicJwk: JWK;
}

/**
 * Reads the key of `directory` (signing-key.pem, 0600) or makes it, RSA 2048 as Entra ID uses for RS256.
 * Called by one process first (the provider); the supervisor reads the same file to make the operators' tokens.
 */
export async function loadOrCreateSigningKey(directory: string): Promise<SigningKey> {
  ensurePrivateDirectory(directory);
  const path = join(directory, 'signing-key.pem');
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
    writePrivateFile(path, pem);
  }
  const privateKey = createPrivateKey(pem);
  const jwk = await exportJWK(createPublicKey(privateKey));
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, privateKey, publicJwk: { ...jwk, kid, alg: 'RS256', use: 'sig' } };
}
