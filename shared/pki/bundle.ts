import { createHash } from 'node:crypto';

/**
 * Names a bundle of certificates by its content, whatever their order: the SHA-256 over the certificates' SHA-256
 * fingerprints (32 raw bytes each) in ascending order, as lower-case hex. A certificate given twice counts once.
 * @param certificates DER.
 */
export function bundleId(certificates: readonly Uint8Array[]): string {
  const fingerprints = certificates.map((der) => createHash('sha256').update(der).digest('hex'));
  const hash = createHash('sha256');
  for (const fingerprint of [...new Set(fingerprints)].sort()) hash.update(fingerprint, 'hex');
  return hash.digest('hex');
}
