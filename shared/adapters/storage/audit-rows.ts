import { z } from 'zod';
import type { ChainHead, SealedEvent } from '../../domain/audit-chain.ts';
import type { AuditSigningKey } from '../../ports/audit-store.ts';
import { bytes, instant, rowCodec } from './row-codec.ts';

/** The rows of the audit chains. */
const v = z.literal(1);

const head: z.ZodType<ChainHead> = z.object({
  v,
  chain: z.string(),
  seq: z.int(),
  hash: z.string(),
  time: instant,
  checkpointSeq: z.int(),
  checkpointAt: instant.nullable(),
});

/** Whatever an entry says is shown as it is: what somebody has changed in it must not be hidden from the verifier. */
const sealed: z.ZodType<SealedEvent> = z.object({
  v,
  position: z.string(),
  latest: instant,
  event: z.custom<SealedEvent['event']>((value) => typeof value === 'object' && value !== null),
});

const pointer = z.object({ chain: z.string(), seq: z.int(), type: z.string() });

const signingKey: z.ZodType<AuditSigningKey> = z.object({
  v,
  keyId: z.string(),
  certificate: bytes,
  notBefore: instant,
  notAfter: instant,
});

export const auditCodecs = {
  head: rowCodec('head of an audit chain', head),
  sealed: rowCodec('sealed event', sealed),
  pointer: rowCodec('timeline', pointer),
  signingKey: rowCodec('audit signing key', signingKey),
};
