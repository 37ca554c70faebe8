import type { KeyType } from '../domain/policy.ts';

/** What a certificate's key and request should be. */
export interface KeySpec {
  readonly keyType: KeyType;
  /** True for clients, who read their key from the vault; false for authorities. */
  readonly exportable: boolean;
  /** True to make the new version with the key of the one before it. */
  readonly reuseKey: boolean;
  readonly commonName: string;
  readonly organization: string | null;
  readonly dnsNames: readonly string[];
  /** `signature`: for signing texts, no part of any chain of certificates. */
  readonly usage: 'client' | 'server' | 'authority' | 'signature';
}

/** A version that waits for its certificate: `merge` finishes it. */
export interface PendingRequest {
  readonly requestId: string;
  /** PKCS#10, DER. */
  readonly csr: Uint8Array;
}

/** What stands in the way of, or already answers, a request for a new version. */
export type PendingState =
  | { readonly state: 'none' }
  | ({ readonly state: 'waiting' } & PendingRequest)
  | { readonly state: 'busy' }
  | { readonly state: 'ended' };

export interface VaultCertificate {
  readonly version: string;
  readonly keyId: string;
  readonly der: Uint8Array;
  /** False when nobody can use its key: it was disabled. */
  readonly isEnabled: boolean;
}

/**
 * Certificates in a vault, where a version's key is born.
 * 1. `request` asks for a new version of `name` whose certificate comes from outside (issuer Unknown) and answers the
 *    request made with the new key. Errors beside the common ones: VaultObjectPending when a version is being made
 *    already, VaultObjectDeleted when the name is soft-deleted.
 * 2. `pending` tells how the newest operation stands: `waiting` for merge, `busy` (the vault works on it), `ended`
 *    (failed, cancelled, or completed) or `none`.
 * 3. `discardPending` removes that operation; nothing happens when there is none.
 * 4. `merge` finishes the waiting version: its certificate, first in the chain, must be for the waiting key, else
 *    VaultRefused. VaultRefused or NotFound when nothing waits.
 * 5. `current` is the newest finished version, or null; earlier versions stay readable. An operation can end between
 *    two calls: whoever needs both asks `pending` first.
 * 6. `createSelfSigned` begins a version that the vault signs itself; it is finished when `current` shows it. Errors
 *    as `request`.
 * 7. `recover` brings a soft-deleted name back with all its versions; until then reads find nothing there.
 * 8. `disable` makes the key of one version unusable and loses nothing. `enabledVersions` names the finished versions of a
 *    name that are not disabled, in any order; none where there is no such name.
 * Errors: VaultThrottled, VaultUnavailable (retryable), VaultAccessDenied (retryable: roles take minutes to arrive),
 * NotFound, VaultRefused.
 */
export interface CredentialVault {
  request(name: string, spec: KeySpec): Promise<PendingRequest>;
  pending(name: string): Promise<PendingState>;
  discardPending(name: string): Promise<void>;
  merge(name: string, chain: readonly Uint8Array[]): Promise<VaultCertificate>;
  current(name: string): Promise<VaultCertificate | null>;
  createSelfSigned(name: string, spec: KeySpec): Promise<void>;
  recover(name: string): Promise<void>;
  disable(name: string, version: string): Promise<void>;
  enabledVersions(name: string): Promise<readonly string[]>;
}
