import { type Authority, authorityCommonName } from '../../shared/domain/authority.ts';
import { validityFor } from '../../shared/domain/policy.ts';
import { ISSUED_AT, SERIAL_NUMBER } from './build-identity.ts';

/** An active authority of 365 days, issued at ISSUED_AT; its certificate is no real one. */
export function buildAuthority(changes: Partial<Authority> = {}): Authority {
  return {
    v: 1,
    id: 'a1',
    state: 'Active',
    keyType: 'EC-P256',
    serialNumber: SERIAL_NUMBER,
    ...validityFor(ISSUED_AT, 365),
    commonName: authorityCommonName('a1'),
    spkiHash: null,
    keyId: 'https://authority.vault.test/keys/authority--a1/1',
    certificate: Uint8Array.of(0x30, 0x00),
    vaultVersion: '1',
    predecessorId: null,
    crossCertificates: [],
    issuers: [],
    leafValidityDays: 90,
    publishedAt: null,
    activatedAt: null,
    retiringAt: null,
    retiredAt: null,
    taintedAt: null,
    revokedAt: null,
    keyDisabledAt: null,
    taint: null,
    ...changes,
  };
}
