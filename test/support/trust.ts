import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * What a relying party looks at, with Node's own X.509 and nothing of the product: the certificate is signed by an
 * authority of the bundle, and in force now. notAfter is the last second that counts (RFC 5280, 4.1.2.5).
 * @param certificate PEM or DER
 */
export function assertTrusted(certificate: string | Uint8Array, bundlePem: string, now: Date): void {
  const leaf = new X509Certificate(certificate);
  const authorities = (bundlePem.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
  assert.ok(
    authorities.some((authority) => leaf.checkIssued(authority) && leaf.verify(authority.publicKey)),
    `no authority of the bundle has signed ${leaf.subject} ${leaf.serialNumber}`,
  );
  assert.ok(leaf.validFromDate <= now, `${leaf.subject} ${leaf.serialNumber} is not valid yet`);
  const end = leaf.validToDate.getTime() + 1000;
  assert.ok(now.getTime() < end, `${leaf.subject} ${leaf.serialNumber} ended ${leaf.validTo}`);
}
