import { z } from 'zod';

/** Names a set of trusted authorities: a SHA-256 in lower-case hex. */
export const bundleId = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected the 64 hexadecimal digits of a bundleId, in lower case');
