import { createPublicKey, type KeyObject } from 'node:crypto';

/** Enough for the keys of every request in flight and the authority's own, which every certificate is checked with. */
const MOST_KEYS = 64;

/** By the bytes they were read from, the one used longest ago first. */
const imported = new Map<string, KeyObject>();

/**
 * A public key for node:crypto. Issuing one certificate asks for the client's key five times and for the authority's
 * twice, and for a key on a curve each time OpenSSL checks anew that the point is on it, which costs as much as a
 * signature: so the last few are kept. Public keys only, and equal bytes are an equal key.
 * @param spki SubjectPublicKeyInfo, DER
 * @throws Error of OpenSSL when the bytes are no public key
 */
export function importPublicKey(spki: Uint8Array): KeyObject {
  const name = Buffer.from(spki).toString('latin1');
  const key = imported.get(name) ?? createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  imported.delete(name);
  imported.set(name, key);
  const [oldest] = imported.keys();
  if (imported.size > MOST_KEYS && oldest !== undefined) imported.delete(oldest);
  return key;
}
