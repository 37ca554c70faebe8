import { addMs, toInstant } from './instants.ts';
import { AUTHORITY_PREPARE, type KeyType } from './policy.ts';

/** `Creating` until its certificate is in the vault, then it signs. */
export type AuthorityState = 'Creating' | 'Active';

/** An authority's record. Its private key exists in the vault alone; `keyId` is the versioned key that signs. */
export interface Authority {
  readonly v: 1;
  readonly id: string;
  readonly state: AuthorityState;
  readonly keyType: KeyType;
  readonly serialNumber: string;
  readonly issuedAt: Date;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly commonName: string;
  /** Hash of its SubjectPublicKeyInfo, written before the certificate is signed. */
  readonly spkiHash: string | null;
  /** Key Vault key id with its version. */
  readonly keyId: string | null;
  readonly certificate: Uint8Array | null;
  readonly vaultVersion: string | null;
}

/** An authority that can sign. */
export type ActiveAuthority = Authority & {
  readonly state: 'Active';
  readonly keyId: string;
  readonly certificate: Uint8Array;
};

export function isActive(authority: Authority): authority is ActiveAuthority {
  return authority.state === 'Active' && authority.keyId !== null && authority.certificate !== null;
}

/** The authority's subject: a name of its own per id, so that two authorities never share one. */
export function authorityCommonName(id: string): string {
  return `Everleaf Authority ${id}`;
}

/** When the authority's successor should be prepared: half of its life. */
export function prepareSuccessorAt(authority: Pick<Authority, 'issuedAt' | 'notAfter'>): Date {
  const life = authority.notAfter.getTime() - authority.issuedAt.getTime();
  return addMs(authority.issuedAt, Math.floor((life * AUTHORITY_PREPARE) / 1000) * 1000);
}

/** What stands in a plan about an authority: when it ends, in words. */
export function authorityEndText(authority: Pick<Authority, 'id' | 'notAfter'>): string {
  return `authority ${authority.id} ends at ${toInstant(authority.notAfter)}`;
}
