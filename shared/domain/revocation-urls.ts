/** Where verifiers find what they need about an authority; the addresses stand in the certificates that it signs. */
export interface RevocationUrls {
  /** Its revocation list, DER (RFC 5280, 4.2.1.13). */
  readonly crl: string;
  /** The OCSP responder, of all authorities (RFC 6960, 3.1). */
  readonly ocsp: string;
  /** Its own certificate, DER (RFC 5280, 4.2.2.1). */
  readonly caIssuers: string;
}

/** @param base REVOCATION_BASE_URL */
export function revocationUrls(base: string, authorityId: string): RevocationUrls {
  return {
    crl: `${base}/api/crl/${authorityId}`,
    ocsp: `${base}/api/ocsp`,
    caIssuers: `${base}/api/ca/${authorityId}`,
  };
}
