import type { KeyType } from '../../shared/domain/policy.ts';
import type { KeySpec } from '../../shared/ports/credential-vault.ts';

/** What the key of a client's certificate is made by, here of KMS. */
export function specOf(keyType: KeyType, changes: Partial<KeySpec> = {}): KeySpec {
  return {
    keyType,
    exportable: true,
    reuseKey: false,
    commonName: 'KMS',
    organization: 'management',
    dnsNames: [],
    usage: 'client',
    ...changes,
  };
}
