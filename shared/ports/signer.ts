/** JOSE's names for signature algorithms (RFC 7518, 3.1), as Key Vault uses them; those that authorities sign with. */
export type SignatureAlgorithm = 'ES256' | 'ES384' | 'ES512' | 'RS256' | 'RS384' | 'RS512';

/**
 * Signs with an authority's key, which never leaves the vault.
 * 1. `keyId` names a key version; `data` is what is signed, and only its hash goes to the vault.
 * 2. The answer is the signature as JWS carries it (RFC 7518, 3.3 and 3.4): PKCS#1 v1.5 for RSA, r and s in fixed
 *    length for EC.
 * 3. A version that was disabled signs no more: VaultAccessDenied.
 * Errors: VaultThrottled, VaultUnavailable (retryable), VaultAccessDenied (retryable: roles take minutes to arrive),
 * NotFound, VaultRefused.
 */
export interface Signer {
  sign(keyId: string, algorithm: SignatureAlgorithm, data: Uint8Array): Promise<Uint8Array>;
}
