import { type ParsedCertificate, parseCertificate, verifySignedBy } from './certificate.ts';
import type { CertificateRequest } from './certificate-request.ts';
import { invalid } from './invalid.ts';
import { OID } from './oids.ts';
import { decodePemBundle } from './pem.ts';
import { checkPublicKeyForm, readPublicKey } from './public-key.ts';

const KEY_CERTIFICATE_NAME = 'CSR Key';
const KEY_CERTIFICATE_SERIAL = '01';

/** What a certificate request says, in the cloud agent's form, of the certificate that it is to renew. */
export interface RenewalProof {
  /** The certificate to renew. Nothing says yet that it is ours. */
  readonly certificate: ParsedCertificate;
  /** When the old key vouched for the new one. */
  readonly madeAt: Date;
  /**
   * Whether the certificate's key has vouched for the key of the request.
   * @throws EverleafError InvalidInput with reason `weak-digest` or `unsupported-signature-algorithm`
   */
  verify(): boolean;
}

/**
 * Reads the proof that the cloud agent's clients put into a request (microsoft/moc, pkg/certs): an extension of
 * concatenated PEM. The first block is a throw-away certificate for the request's key, signed by the key of the second
 * one, which is the certificate to renew; what follows are its issuers, which nobody asks about.
 *
 * Checked here is everything that needs neither clock nor record: that the throw-away certificate is one (its name, its
 * serial number, no authority), is for this very key, and names the old certificate's subject as its issuer, byte for
 * byte. Its end is not looked at: it is the old certificate's, and one that has ended may still be recovered.
 *
 * @returns null when the request has no such extension
 * @throws EverleafError InvalidInput with reason `malformed`, `not-pem`, `wrong-pem-label`, or one of
 *   `parseCertificate` and `readPublicKey`
 */
export function readRenewalProof(request: CertificateRequest): RenewalProof | null {
  const extension = request.extensions.find(({ oid }) => oid === OID.renewCertificates);
  if (extension === undefined) return null;
  const [keyDer, oldDer] = decodePemBundle(Buffer.from(extension.value).toString('latin1'), 'CERTIFICATE');
  if (keyDer === undefined || oldDer === undefined) {
    throw invalid('malformed', 'the renewal extension holds less than two certificates');
  }
  const keyCertificate = parseCertificate(keyDer);
  const certificate = parseCertificate(oldDer);
  checkKeyCertificate(keyCertificate, certificate, request);
  checkPublicKeyForm(readPublicKey(certificate.spki));
  return {
    certificate,
    madeAt: keyCertificate.notBefore,
    verify: () => verifySignedBy(keyCertificate, certificate.spki),
  };
}

function checkKeyCertificate(
  key: ParsedCertificate,
  old: ParsedCertificate,
  request: CertificateRequest,
): void {
  const isThrowAway =
    key.subject.commonName === KEY_CERTIFICATE_NAME &&
    key.serialNumber === KEY_CERTIFICATE_SERIAL &&
    key.basicConstraints?.isAuthority !== true;
  if (!isThrowAway) {
    throw invalid(
      'malformed',
      `the first certificate of the renewal extension is not "${KEY_CERTIFICATE_NAME}" with the serial number 1 and no ` +
        'authority',
    );
  }
  if (!Buffer.from(key.spki).equals(request.spki)) {
    throw invalid('malformed', "the first certificate of the renewal extension is not for the request's key");
  }
  if (!Buffer.from(key.issuerDer).equals(old.subjectDer)) {
    throw invalid(
      'malformed',
      'the first certificate of the renewal extension is not issued by the subject of the second',
    );
  }
}
