import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Digest } from '../../ports/digest.ts';

/** Hashing by node:crypto. */
export const nodeDigest: Digest = {
  sha256: (bytes) => Uint8Array.from(createHash('sha256').update(bytes).digest()),
  hmacSha256: (key, text) => Uint8Array.from(createHmac('sha256', key).update(text, 'utf8').digest()),
  equal: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  hashing: () => {
    const hash = createHash('sha256');
    return {
      update: (bytes) => void hash.update(bytes),
      sha256: () => Uint8Array.from(hash.digest()),
    };
  },
};
