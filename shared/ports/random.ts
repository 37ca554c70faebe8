/**
 * Randomness.
 * 1. `bytes` comes from a cryptographic source: it makes serial numbers, token ids, nonces and keys.
 * 2. `fraction` lies in [0, 1) and is good enough to spread retries, not for secrets.
 */
export interface Random {
  bytes(length: number): Uint8Array;
  fraction(): number;
}
