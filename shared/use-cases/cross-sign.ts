import type { Authority, CrossCertificate, FinishedAuthority } from '../domain/authority.ts';
import { earlier, later, SECOND_MS } from '../domain/instants.ts';
import { type AuthorityInput, buildAuthorityTbs } from '../pki/authority-certificate.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { lintAuthority } from '../pki/lint-authority.ts';
import { readPublicKey, subjectKeyIdentifier } from '../pki/public-key.ts';
import { signatureAlgorithmFor } from '../pki/signature.ts';
import type { Deps } from './deps.ts';
import { newSerialNumber } from './issue-certificate.ts';
import { signCertificate } from './sign-certificate.ts';

/**
 * Decides serial number and dates of the certificate by which those that know only `signer` will accept `authority`. It
 * lives as long as both of them do.
 */
export function planCrossCertificate(
  deps: Pick<Deps, 'random'>,
  signer: FinishedAuthority,
  authority: Pick<Authority, 'notBefore' | 'notAfter'>,
): CrossCertificate {
  return {
    issuerId: signer.id,
    serialNumber: newSerialNumber(deps),
    notBefore: later(signer.notBefore, authority.notBefore),
    notAfter: earlier(signer.notAfter, authority.notAfter),
    certificate: null,
  };
}

/**
 * Has the vault sign a cross certificate that was decided and written down. Records nothing.
 * @param certificate the authority's own, DER
 * @throws EverleafError as `signCertificate`; LintFailed
 */
export async function signCrossCertificate(
  deps: Pick<Deps, 'signer'>,
  signer: FinishedAuthority,
  certificate: Uint8Array,
  planned: CrossCertificate,
): Promise<Uint8Array> {
  const issuer = parseCertificate(signer.certificate);
  const authority = parseCertificate(certificate);
  const signatureAlgorithm = signatureAlgorithmFor(readPublicKey(issuer.spki));
  const input: AuthorityInput = {
    serialNumber: planned.serialNumber,
    notBefore: planned.notBefore,
    notAfter: planned.notAfter,
    subjectDer: authority.subjectDer,
    spki: authority.spki,
    pathLength: 0,
    issuer: { subjectDer: issuer.subjectDer, subjectKeyId: subjectKeyIdentifier(issuer.spki) },
    signatureAlgorithm,
  };
  const tbs = buildAuthorityTbs(input);
  const life = planned.notAfter.getTime() - planned.notBefore.getTime();
  lintAuthority(tbs, input, {
    maximumValiditySeconds: life / SECOND_MS + 1,
    cross: { signer: issuer, authority },
  });
  return signCertificate(deps, signer.keyId, signatureAlgorithm, tbs, issuer.spki);
}
