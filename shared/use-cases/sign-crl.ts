import type { FinishedAuthority } from '../domain/authority.ts';
import { type CrlLine, longestCrlSeconds } from '../domain/crl.ts';
import { EverleafError } from '../domain/errors.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { issuerOf } from '../pki/certificate-issuer.ts';
import { assembleCrl, buildCrlTbs, type CrlInput } from '../pki/crl.ts';
import { parseCrl, verifyCrl } from '../pki/crl-reader.ts';
import { lintCrl } from '../pki/lint-crl.ts';
import { readPublicKey } from '../pki/public-key.ts';
import { signatureAlgorithmFor } from '../pki/signature.ts';
import type { Deps } from './deps.ts';

/**
 * Has the vault sign a revocation list that was decided and whose number was written down. Records nothing.
 * @param lines in the order of their serial numbers
 * @returns the list, DER
 * @throws EverleafError as the Signer port; LintFailed; VaultRefused when the signature does not verify
 */
export async function signCrl(
  deps: Pick<Deps, 'signer' | 'policy'>,
  authority: FinishedAuthority,
  number: number,
  validity: { readonly thisUpdate: Date; readonly nextUpdate: Date },
  lines: readonly CrlLine[],
): Promise<Uint8Array> {
  const issuer = parseCertificate(authority.certificate);
  const signatureAlgorithm = signatureAlgorithmFor(readPublicKey(issuer.spki));
  const input: CrlInput = {
    issuerDer: issuer.subjectDer,
    authorityKeyId: issuerOf(issuer).subjectKeyId,
    crlNumber: number,
    thisUpdate: validity.thisUpdate,
    nextUpdate: validity.nextUpdate,
    entries: lines,
    signatureAlgorithm,
  };
  const tbs = buildCrlTbs(input);
  const maximumValiditySeconds = longestCrlSeconds(authority, deps.policy.crlValidityHours);
  lintCrl(tbs, input, { authority: issuer, maximumValiditySeconds });
  const signature = await deps.signer.sign(authority.keyId, signatureAlgorithm, tbs);
  const der = assembleCrl(tbs, signatureAlgorithm, signature);
  if (!verifyCrl(parseCrl(der), issuer.spki)) {
    throw new EverleafError(
      'VaultRefused',
      `The vault's signature by ${authority.keyId} does not verify with the authority's public key. No list was published.`,
    );
  }
  return der;
}
