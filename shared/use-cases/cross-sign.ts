import {
  type Authority,
  type CrossCertificate,
  type FinishedAuthority,
  trustAnchor,
} from '../domain/authority.ts';
import { isSameBytes } from '../domain/encoding.ts';
import { earlier, later, SECOND_MS } from '../domain/instants.ts';
import { revocationUrls } from '../domain/revocation-urls.ts';
import { type AuthorityInput, buildAuthorityTbs } from '../pki/authority-certificate.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { issuerOf } from '../pki/certificate-issuer.ts';
import { lintAuthority } from '../pki/lint-authority.ts';
import { roomBelow } from '../pki/path-length.ts';
import { readPublicKey } from '../pki/public-key.ts';
import { signatureAlgorithmFor } from '../pki/signature.ts';
import type { Deps, Run } from './deps.ts';
import { newSerialNumber } from './issue-certificate.ts';
import { signCertificate } from './sign-certificate.ts';
import { ownerOfAuthority, type SignedAuthority, updateSigned } from './update-authority.ts';

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
  deps: Pick<Deps, 'signer' | 'site'>,
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
    ...(authority.subjectKeyId === null ? {} : { subjectKeyId: authority.subjectKeyId }),
    pathLength: 0,
    issuer: issuerOf(issuer),
    crlUrl: revocationUrls(deps.site.revocationBaseUrl, signer.id).crl,
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

/**
 * The cross certificate by one other authority: decided, written down, signed, written down. There is none where nobody
 * needs it, because whoever trusts the one trusts the other by the same root, nor where the other may not sign one.
 */
export async function ensureCrossCertificate(
  deps: Deps,
  run: Run,
  authority: SignedAuthority,
  signer: FinishedAuthority,
): Promise<void> {
  if (signer.notAfter <= deps.clock.now()) return;
  if (isSameBytes(trustAnchor(signer), trustAnchor(authority))) return;
  if (roomBelow([signer.certificate, ...signer.issuers].map(parseCertificate)) < 1) {
    run.log.write(
      'warn',
      `Authority ${signer.id} may have no other below it, so it does not cross-sign authority ${authority.id}: whoever ` +
        'trusts the one alone does not accept what the other signs, until it has the present bundle.',
    );
    return;
  }
  const crossOf = ({ crossCertificates }: Authority) =>
    crossCertificates.find(({ issuerId }) => issuerId === signer.id);
  const planned = await updateSigned(deps, authority.id, (current) =>
    crossOf(current) === undefined
      ? {
          ...current,
          crossCertificates: [...current.crossCertificates, planCrossCertificate(deps, signer, current)],
        }
      : current,
  );
  const cross = crossOf(planned);
  if (cross === undefined || cross.certificate !== null) return;
  await deps.identities.claimSerial(cross.serialNumber, ownerOfAuthority(authority.id));
  const certificate = await signCrossCertificate(deps, signer, authority.certificate, cross);
  const withSigned = (each: CrossCertificate): CrossCertificate =>
    each.serialNumber === cross.serialNumber && each.certificate === null ? { ...each, certificate } : each;
  await updateSigned(deps, authority.id, (current) => ({
    ...current,
    crossCertificates: current.crossCertificates.map(withSigned),
  }));
}
