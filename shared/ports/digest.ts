/**
 * Hashing and comparing.
 * 1. `sha256` is FIPS 180-4, `hmacSha256` is RFC 2104 over the UTF-8 bytes of `text`.
 * 2. `equal` takes the same time wherever two values of equal length differ; other lengths are unequal.
 * 3. `hashing` is `sha256` of what comes piece by piece.
 */
export interface Digest {
  sha256(bytes: Uint8Array): Uint8Array;
  hmacSha256(key: Uint8Array, text: string): Uint8Array;
  equal(a: Uint8Array, b: Uint8Array): boolean;
  hashing(): Hashing;
}

/** One hash that is being made; `sha256` ends it. */
export interface Hashing {
  update(bytes: Uint8Array): void;
  sha256(): Uint8Array;
}
