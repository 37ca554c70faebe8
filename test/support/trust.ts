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

/**
 * The same by way of the certificates that are sent along: each is signed by the next one or by an authority of the
 * bundle, and all are in force.
 * @param sent PEM: the leaf, then its chain
 */
export function assertAccepted(sent: string, bundlePem: string, now: Date): void {
  const [leaf, ...chain] = (sent.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
  assert.ok(leaf);
  const anchors = (bundlePem.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
  const isIssuedBy = (one: X509Certificate) => (by: X509Certificate) =>
    one.checkIssued(by) && one.verify(by.publicKey);
  let last = leaf;
  while (!anchors.some(isIssuedBy(last))) {
    const next = chain.find(isIssuedBy(last));
    assert.ok(next !== undefined && next !== last, `nothing leads from ${last.subject} to the bundle`);
    assert.ok(next.validFromDate <= now && now.getTime() < next.validToDate.getTime() + 1000);
    last = next;
  }
  const anchor = anchors.find(isIssuedBy(last));
  assert.ok(
    anchor !== undefined && now.getTime() < anchor.validToDate.getTime() + 1000,
    'the authority ended',
  );
  assert.ok(leaf.validFromDate <= now && now.getTime() < leaf.validToDate.getTime() + 1000);
}
