/** What the cloud agent's clients read at every start: their certificate, its key and whom to trust. */
export interface AccessFacts {
  readonly name: string;
  readonly bundlePem: string;
  readonly certificatePem: string;
  /** Certificates between the leaf and the bundle; empty when there are none. */
  readonly chainPem: string;
  readonly keyPem: string;
}

/** The access file (`cloudconfig`) as the cloud agent's clients read and write it: JSON, the PEM texts in base64. */
export function accessFileText({ name, bundlePem, certificatePem, chainPem, keyPem }: AccessFacts): string {
  const base64 = (text: string) => Buffer.from(text, 'utf8').toString('base64');
  const fields = {
    CloudCertificate: base64(bundlePem),
    ClientCertificate: base64(certificatePem + chainPem),
    ClientKey: base64(keyPem),
    IdentityName: name,
    ClientCertificateType: 'CA-Signed',
  };
  return `${JSON.stringify(fields, null, 2)}\n`;
}
