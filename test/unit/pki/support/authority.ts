import { sign } from 'node:crypto';
import { type AuthorityInput, buildAuthorityTbs } from '../../../../shared/pki/authority-certificate.ts';
import { type ParsedCertificate, parseCertificate } from '../../../../shared/pki/certificate.ts';
import { encodeName } from '../../../../shared/pki/distinguished-name.ts';
import type { LeafInput } from '../../../../shared/pki/leaf-certificate.ts';
import { readPublicKey } from '../../../../shared/pki/public-key.ts';
import {
  assembleCertificate,
  SIGNATURE_ALGORITHMS,
  type SignatureAlgorithmName,
  signatureAlgorithmFor,
} from '../../../../shared/pki/signature.ts';
import { type KeyKind, type KeyPair, keyPair } from './keys.ts';

/** 2026-06-01, inside the dates of every certificate here, for `openssl verify -attime`. */
export const DURING = String(Date.UTC(2026, 5, 1) / 1000);

export interface TestAuthority {
  readonly key: KeyPair;
  readonly certificate: ParsedCertificate;
  readonly signatureAlgorithm: SignatureAlgorithmName;
  /** Signs in the form Key Vault returns and puts the certificate together. */
  issue(tbs: Uint8Array): Uint8Array;
}

/** What a self-signed authority of the year 2026 would be made from. */
export function authorityInput(key: KeyPair, commonName = 'Everleaf authority 1'): AuthorityInput {
  return {
    serialNumber: `f0${'5a'.repeat(15)}`,
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2026-12-31T23:59:59Z'),
    subjectDer: encodeName({ commonName }),
    spki: key.spki,
    pathLength: 1,
    signatureAlgorithm: signatureAlgorithmFor(readPublicKey(key.spki)),
  };
}

export function makeAuthority(
  kind: KeyKind = 'P-256',
  commonName?: string,
  key = keyPair(kind, 'authority'),
): TestAuthority {
  const input = authorityInput(key, commonName);
  const { signatureAlgorithm } = input;
  const issue = (tbs: Uint8Array) =>
    assembleCertificate(tbs, signatureAlgorithm, vaultSign(key, signatureAlgorithm, tbs));
  return { key, signatureAlgorithm, issue, certificate: parseCertificate(issue(buildAuthorityTbs(input))) };
}

/** A signature as Key Vault returns it: r and s for EC, PKCS#1 v1.5 for RSA. */
export function vaultSign(key: KeyPair, algorithm: SignatureAlgorithmName, data: Uint8Array): Uint8Array {
  const { hash } = SIGNATURE_ALGORITHMS[algorithm];
  return Uint8Array.from(sign(hash, data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' }));
}

/** What the certificate of the client KMS of the management cluster would be made from. */
export function leafInput(
  authority: TestAuthority,
  key: KeyPair,
  changes: Partial<LeafInput> = {},
): LeafInput {
  const { subjectDer, subjectKeyId } = authority.certificate;
  return {
    serialNumber: `0a${'3c'.repeat(15)}`,
    notBefore: new Date('2026-04-30T23:55:00Z'),
    notAfter: new Date('2026-07-29T23:59:59Z'),
    issuer: { subjectDer, subjectKeyId: subjectKeyId ?? new Uint8Array() },
    subject: { commonName: 'KMS', organization: 'management' },
    spki: key.spki,
    server: false,
    spiffeUri: 'spiffe://everleaf.local/cluster/management/client/KMS',
    names: { dns: [], ipAddresses: [] },
    accessIdentity: 'management/KMS',
    signatureAlgorithm: authority.signatureAlgorithm,
    ...changes,
  };
}
