import { type ActiveAuthority, canIssue } from '../domain/authority.ts';
import { toHex } from '../domain/encoding.ts';
import { EverleafError } from '../domain/errors.ts';
import {
  type CertificateAttempt,
  type CertificateHead,
  type CertificateRecord,
  type Identity,
  isServer,
} from '../domain/identity.ts';
import { DAY_MS, later, SECOND_MS, toInstant } from '../domain/instants.ts';
import { identityText, spiffeId } from '../domain/names.ts';
import { BACKDATE_MS, renewalWindow, validityFor } from '../domain/policy.ts';
import { parseCertificate } from '../pki/certificate.ts';
import type { CertificateRequest } from '../pki/certificate-request.ts';
import type { Extension } from '../pki/extension-reader.ts';
import { buildLeafTbs, type LeafInput } from '../pki/leaf-certificate.ts';
import { lintLeaf } from '../pki/lint-leaf.ts';
import { readPublicKey, spkiHash, subjectKeyIdentifier } from '../pki/public-key.ts';
import { SERIAL_NUMBER_BYTES, serialNumberFrom } from '../pki/serial-number.ts';
import { signatureAlgorithmFor } from '../pki/signature.ts';
import type { Deps } from './deps.ts';
import { signCertificate } from './sign-certificate.ts';

/**
 * A serial number: 128 random bits (the CA/Browser Forum asks for 64 at least), positive by its encoding, and with a
 * first byte that is not zero, so that it has 32 hexadecimal digits wherever it is printed.
 */
export function newSerialNumber(deps: Pick<Deps, 'random'>): string {
  for (;;) {
    const bytes = deps.random.bytes(SERIAL_NUMBER_BYTES);
    if (bytes[0] !== 0) return serialNumberFrom(bytes);
  }
}

/**
 * Decides serial number and dates of a certificate that is about to be made. A certificate that would outlive its
 * authority is cut to the authority's end.
 * @throws EverleafError AuthorityEnding when less than a day of the authority is left
 */
export function planAttempt(
  deps: Pick<Deps, 'clock' | 'random' | 'policy'>,
  authority: ActiveAuthority,
  identity: Identity,
): CertificateAttempt {
  const now = deps.clock.now();
  if (!canIssue(authority, now)) {
    throw new EverleafError(
      'AuthorityEnding',
      `Cannot issue a certificate for ${identityText(identity)}: authority ${authority.id} ends at ` +
        `${toInstant(authority.notAfter)}, less than a day from now. It needs a successor.`,
      { details: { authorityId: authority.id, notAfter: toInstant(authority.notAfter) } },
    );
  }
  const validity = validityFor(now, deps.policy.certificateValidityDays, authority.notAfter);
  return {
    id: toHex(deps.random.bytes(16)),
    serialNumber: newSerialNumber(deps),
    ...validity,
    // A clock that is behind the one that made the authority must not date a leaf before it.
    notBefore: later(validity.notBefore, authority.notBefore),
    authorityId: authority.id,
    spkiHash: null,
    requestId: null,
  };
}

/**
 * Whether an attempt left by a crash can still end in a certificate worth having: signed by the authority that signs
 * now, inside its dates, no longer than today's policy, and not due at once.
 */
export function isAttemptUsable(
  deps: Pick<Deps, 'clock' | 'policy'>,
  attempt: CertificateAttempt,
  authority: ActiveAuthority,
): boolean {
  const { renewAfter } = renewalWindow(attempt.issuedAt, attempt.notAfter, attempt.serialNumber);
  const longest = validityFor(attempt.issuedAt, deps.policy.certificateValidityDays).notAfter;
  return (
    attempt.authorityId === authority.id &&
    attempt.notBefore >= authority.notBefore &&
    attempt.notAfter <= authority.notAfter &&
    attempt.notAfter <= longest &&
    deps.clock.now() < renewAfter
  );
}

/**
 * Signs the certificate that an attempt has decided, for the key of `request`: builds it, lints it, has the vault
 * sign it and checks the signature. Records nothing.
 * @param extraExtensions what a renewed certificate says of the line that it continues
 */
export async function signLeaf(
  deps: Pick<Deps, 'signer' | 'policy' | 'site'>,
  authority: ActiveAuthority,
  identity: Identity,
  instance: string,
  attempt: CertificateAttempt,
  request: CertificateRequest,
  extraExtensions: readonly Extension[] = [],
): Promise<CertificateRecord> {
  const issuer = parseCertificate(authority.certificate);
  const signatureAlgorithm = signatureAlgorithmFor(readPublicKey(issuer.spki));
  const leaf: LeafInput = {
    serialNumber: attempt.serialNumber,
    notBefore: attempt.notBefore,
    notAfter: attempt.notAfter,
    issuer: { subjectDer: issuer.subjectDer, subjectKeyId: subjectKeyIdentifier(issuer.spki) },
    subject: { commonName: identity.name, organization: identity.cluster },
    spki: request.spki,
    server: isServer(identity.clientType),
    spiffeUri: spiffeId(deps.site.trustDomain, identity),
    names: { dns: grantedNames(identity, request).granted, ipAddresses: [] },
    accessIdentity: identityText(identity),
    extraExtensions,
    signatureAlgorithm,
  };
  const tbs = buildLeafTbs(leaf);
  const maximumValiditySeconds = (deps.policy.certificateValidityDays * DAY_MS + BACKDATE_MS) / SECOND_MS;
  lintLeaf(tbs, leaf, { authority: issuer, maximumValiditySeconds });
  const der = await signCertificate(deps, authority.keyId, signatureAlgorithm, tbs, issuer.spki);
  const { serialNumber, issuedAt, notBefore, notAfter } = attempt;
  return {
    v: 1,
    identity: { cluster: identity.cluster, name: identity.name },
    incarnation: identity.incarnation,
    instance,
    serialNumber,
    authorityId: authority.id,
    issuedAt,
    notBefore,
    notAfter,
    spkiHash: spkiHash(request.spki),
    der,
  };
}

/** Which DNS names a request gets: those that the identity allows; the others are named in a warning. */
export function grantedNames(
  identity: Identity,
  request: CertificateRequest,
): { granted: string[]; refused: string[] } {
  const allowed = new Set(identity.dnsNames.map((name) => name.toLowerCase()));
  const { dns, uris, ipAddresses, emails } = request.requestedNames;
  // Host names ignore case (RFC 4343), and a certificate names each one once.
  const asked = [...new Set(dns.map((name) => name.toLowerCase()))];
  const granted = asked.filter((name) => allowed.has(name));
  const refused = asked.filter((name) => !allowed.has(name));
  return { granted, refused: [...refused, ...uris, ...ipAddresses, ...emails] };
}

/** The certificate as the head of its line. */
export function headOf(
  record: CertificateRecord,
  renewCount: number,
  vaultVersion: string | null,
): CertificateHead {
  const { serialNumber, issuedAt, notBefore, notAfter, authorityId } = record;
  const { renewAfter } = renewalWindow(issuedAt, notAfter, serialNumber);
  return { serialNumber, issuedAt, notBefore, notAfter, renewAfter, renewCount, authorityId, vaultVersion };
}

/** True when the authority's end, not the policy, decided a certificate's end. */
export function isClipped(
  deps: Pick<Deps, 'policy'>,
  record: CertificateRecord,
  authority: ActiveAuthority,
): boolean {
  const whole = validityFor(record.issuedAt, deps.policy.certificateValidityDays).notAfter;
  return record.notAfter.getTime() === authority.notAfter.getTime() && record.notAfter < whole;
}
