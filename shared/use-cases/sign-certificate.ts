import { EverleafError } from '../domain/errors.ts';
import { parseCertificate, verifySignedBy } from '../pki/certificate.ts';
import { assembleCertificate } from '../pki/signature.ts';
import type { SignatureAlgorithm } from '../ports/signer.ts';
import type { Deps } from './deps.ts';

/**
 * Has the vault sign a certificate, and checks what came back with the authority's public key: a vault that answers
 * with another key's signature must not make it into the record.
 * @param tbs the part that is signed, linted by the caller
 * @returns the certificate, DER
 * @throws EverleafError as the Signer port; VaultRefused when the signature does not verify
 */
export async function signCertificate(
  deps: Pick<Deps, 'signer'>,
  keyId: string,
  algorithm: SignatureAlgorithm,
  tbs: Uint8Array,
  issuerSpki: Uint8Array,
): Promise<Uint8Array> {
  const signature = await deps.signer.sign(keyId, algorithm, tbs);
  const der = assembleCertificate(tbs, algorithm, signature);
  if (!verifySignedBy(parseCertificate(der), issuerSpki)) {
    throw new EverleafError(
      'VaultRefused',
      `The vault's signature by ${keyId} does not verify with the authority's public key. Nothing was issued.`,
    );
  }
  return der;
}
