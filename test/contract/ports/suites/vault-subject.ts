import { toHex } from '../../../../shared/domain/encoding.ts';
import { type KeyType, validityFor } from '../../../../shared/domain/policy.ts';
import { buildAuthorityTbs } from '../../../../shared/pki/authority-certificate.ts';
import { parseCertificateRequestDer } from '../../../../shared/pki/certificate-request.ts';
import { encodeName } from '../../../../shared/pki/distinguished-name.ts';
import { assembleCertificate } from '../../../../shared/pki/signature.ts';
import type { CredentialVault, KeySpec } from '../../../../shared/ports/credential-vault.ts';
import type { SecretVault } from '../../../../shared/ports/secret-vault.ts';
import type { Signer } from '../../../../shared/ports/signer.ts';
import type { VaultBackup, VaultRestore } from '../../../../shared/ports/vault-backup.ts';
import { specOf } from '../../../support/key-spec.ts';
import { vaultSign } from '../../../unit/pki/support/authority.ts';
import { keyPair } from '../../../unit/pki/support/keys.ts';

/** A vault with nothing in it, through the ports, and what an administrator could do to it. */
export interface VaultUnderTest {
  readonly vault: CredentialVault;
  readonly secrets: SecretVault;
  readonly signer: Signer;
  readonly copies: VaultBackup & VaultRestore;
  softDeleteCertificate(name: string): Promise<void>;
  softDeleteSecret(name: string): Promise<void>;
  /** As if these had never been, which takes a vault without purge protection. */
  purgeEverything(certificates: readonly string[], secrets: readonly string[]): Promise<void>;
}

export type MakeVault = (test: { after(fn: () => Promise<void>): void }) => Promise<VaultUnderTest>;

/** What an authority's key is made by. */
export const AUTHORITY_SPEC = (keyType: KeyType): KeySpec =>
  specOf(keyType, { exportable: false, reuseKey: true, usage: 'authority', organization: null });

let issued = 0;

/** A certificate for the key of a request, valid now, signed by an authority that the vault has never heard of. */
export function certificateFor(csr: Uint8Array): Uint8Array {
  const issuer = keyPair('P-256', 'foreign authority');
  const { notBefore, notAfter } = validityFor(new Date(), 90);
  issued += 1;
  const tbs = buildAuthorityTbs({
    serialNumber: toHex(Uint8Array.of(1, issued)),
    notBefore,
    notAfter,
    subjectDer: encodeName({ commonName: 'Issued elsewhere' }),
    spki: parseCertificateRequestDer(csr).spki,
    pathLength: 1,
    signatureAlgorithm: 'ES256',
  });
  return assembleCertificate(tbs, 'ES256', vaultSign(issuer, 'ES256', tbs));
}
