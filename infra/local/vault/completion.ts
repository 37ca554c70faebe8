import type { CertificateObject, CertificateVersion, PendingOperation } from './model.ts';
import { describeCertificate } from './x509.ts';

/**
 * The certificate with its pending operation completed: a new current version whose nbf and exp are the X.509
 * dates, and whose key, and what may be done with it, were settled when the operation began.
 * @param issued base64 of DER
 * @param now in seconds
 */
export function completeCertificate(
  certificate: CertificateObject,
  pending: PendingOperation,
  issued: { readonly cer: string; readonly chain: readonly string[] },
  now: number,
): CertificateObject & { readonly pending: PendingOperation } {
  const { nbf, exp } = describeCertificate(issued.cer);
  const version: CertificateVersion = {
    version: pending.version,
    cer: issued.cer,
    chain: issued.chain,
    key: pending.key,
    exportable: pending.exportable,
    contentType: pending.contentType,
    attributes: { enabled: pending.enabled, nbf, exp, created: now, updated: now },
    tags: pending.tags,
  };
  return {
    ...certificate,
    versions: [...certificate.versions, version],
    pending: { ...pending, status: 'completed' },
    draft: null,
  };
}
