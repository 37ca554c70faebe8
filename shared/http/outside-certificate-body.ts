import { z } from 'zod';

/** PEM of everything that the record can keep of an authority, and of much that it refuses. */
const MOST_CHARACTERS = 24 * 1024;

/** What an outside root has signed: the authority's certificate, and the certificates above it, the root last. PEM. */
export const outsideCertificateBody = z.strictObject({
  certificate: z.string().max(MOST_CHARACTERS),
  chain: z.string().max(MOST_CHARACTERS),
});
