import { assembleCrl, type CrlInput } from '../../../../shared/pki/crl.ts';
import type { CrlEntry } from '../../../../shared/pki/crl-entry-writer.ts';
import { type TestAuthority, vaultSign } from './authority.ts';

export const REVOKED_AT = new Date('2026-05-20T10:11:12Z');

export function entry(serialNumber: string, changes: Partial<CrlEntry> = {}): CrlEntry {
  return { serialNumber, revokedAt: REVOKED_AT, reason: 'unspecified', invalidityDate: null, ...changes };
}

/** What the list of the authority on 2026-06-01 would be made from. */
export function crlInput(
  { certificate, signatureAlgorithm }: TestAuthority,
  entries: readonly CrlEntry[],
): CrlInput & { readonly entries: readonly CrlEntry[] } {
  return {
    issuerDer: certificate.subjectDer,
    authorityKeyId: certificate.subjectKeyId ?? new Uint8Array(),
    crlNumber: 7,
    thisUpdate: new Date('2026-06-01T00:00:00Z'),
    nextUpdate: new Date('2026-06-04T00:00:00Z'),
    entries,
    signatureAlgorithm,
  };
}

export function signCrl({ key, signatureAlgorithm }: TestAuthority, tbs: Uint8Array): Uint8Array {
  return assembleCrl(tbs, signatureAlgorithm, vaultSign(key, signatureAlgorithm, tbs));
}
