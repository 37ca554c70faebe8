import { createHash } from 'node:crypto';

/** The SHA-256 of a certificate, as lower-case hex. @param certificate DER */
export function fingerprint(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('hex');
}

/**
 * Names a bundle of certificates by its content, whatever their order: the SHA-256 over the certificates' SHA-256
 * fingerprints (32 raw bytes each) in ascending order, as lower-case hex. A certificate given twice counts once.
 * @param certificates DER.
 */
export function bundleId(certificates: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const each of [...new Set(certificates.map(fingerprint))].sort()) hash.update(each, 'hex');
  return hash.digest('hex');
}
