import { z } from 'zod';
import type { AuditEvent, EventType } from '../../domain/audit.ts';
import type { ClusterGate } from '../../domain/cluster-gate.ts';
import { type CertificateRecord, CLIENT_TYPES, type Identity } from '../../domain/identity.ts';
import type { Instance } from '../../domain/instance.ts';
import type { ListingNote } from '../../domain/listed-revocation.ts';
import type { IdentityId } from '../../domain/names.ts';
import { type CertificateRevocation, REVOCATION_REASONS } from '../../domain/revocation.ts';
import type { TokenRecord } from '../../domain/token.ts';
import type { DueRow, IssuanceRecord, Owner } from '../../ports/identity-store.ts';
import { bytes, instant, rowCodec } from './row-codec.ts';

/** The rows of the record that belong to identities, field by field as the domain has them. */
const v = z.literal(1);
const identityId = z.object({ cluster: z.string(), name: z.string() });
const kind = z.enum(['certificate', 'token']);

const attempt = z.object({
  id: z.string(),
  serialNumber: z.string(),
  issuedAt: instant,
  notBefore: instant,
  notAfter: instant,
  authorityId: z.string(),
  spkiHash: z.string().nullable(),
  requestId: z.string().nullable(),
});

const head = z.object({
  serialNumber: z.string(),
  issuedAt: instant,
  notBefore: instant,
  notAfter: instant,
  renewAfter: instant,
  renewCount: z.int(),
  authorityId: z.string(),
  vaultVersion: z.string().nullable(),
});

/** What revocation leaves in a row; fields with a default are missing in rows of the first versions. */
const revoked = {
  revokedAt: instant.nullable().default(null),
  revocationReason: z.enum(REVOCATION_REASONS).nullable().default(null),
};

const credential = {
  generation: z.int(),
  dueKey: z.string().nullable(),
  queuedAt: instant.nullable(),
  lastSuccessAt: instant.nullable(),
  failure: z.object({ at: instant, code: z.string(), attempts: z.int(), retryAt: instant }).nullable(),
  forcedAt: instant.nullable().default(null),
};

const identity: z.ZodType<Identity> = identityId.extend({
  v,
  clientType: z.enum(CLIENT_TYPES),
  delivery: z.enum(['vault', 'agent']),
  credentials: z.enum(['cloud', 'kubelet']),
  autoRotate: z.boolean(),
  tokenExpiryInSeconds: z.int(),
  tokenMaxUses: z.int().nullable().default(null),
  dnsNames: z.array(z.string()),
  createdAt: instant,
  ...revoked,
  deletedAt: instant.nullable().default(null),
  incarnation: z.int().default(1),
  creationId: z.string().nullable().default(null),
  lastSeenAt: instant.nullable(),
  acknowledgedBundleId: z.string().nullable().default(null),
  lockedInstances: z.int().default(0),
  issuances: z.object({ windowStart: instant, count: z.int() }).nullable().default(null),
  certificate: z.object({ ...credential, attempt: attempt.nullable(), head: head.nullable() }),
  token: z.object({
    ...credential,
    id: z.string(),
    issuedAt: instant,
    expiresAt: instant,
    rotateAfter: instant,
    usedGeneration: z.int(),
    usesLeft: z.int().nullable().default(null),
    floorGeneration: z.int().default(0),
    handoverGeneration: z.int().default(-1),
    vaultVersion: z.string().nullable(),
    predecessorExpiresAt: instant.nullable(),
  }),
});

const token: z.ZodType<TokenRecord> = z.object({
  v,
  id: z.string(),
  identity: identityId,
  generation: z.int(),
  secretHash: z.string(),
  nonce: z.string().nullable(),
  issuedAt: instant,
  expiresAt: instant,
  firstUsedAt: instant.nullable(),
  maxUses: z.int().nullable().default(null),
  uses: z.int().default(0),
});

const certificate: z.ZodType<CertificateRecord> = z.object({
  v,
  identity: identityId,
  incarnation: z.int().default(1),
  instance: z.string(),
  serialNumber: z.string(),
  authorityId: z.string(),
  issuedAt: instant,
  notBefore: instant,
  notAfter: instant,
  spkiHash: z.string(),
  der: bytes,
});

const instance: z.ZodType<Instance> = z.object({
  v,
  id: z.string(),
  identity: identityId,
  incarnation: z.int().default(1),
  startedAt: instant,
  spkiHash: z.string(),
  head,
  provenAt: instant.nullable().default(null),
  successor: head.extend({ spkiHash: z.string() }).nullable().default(null),
  originalSerialNumber: z.string().nullable().default(null),
  lockedAt: instant.nullable().default(null),
  ...revoked,
  recoveriesUsed: z.int().default(0),
  lastSeenAt: instant.nullable().default(null),
  bundleId: z.string().nullable().default(null),
});

const issuance: z.ZodType<IssuanceRecord> = z.object({
  v,
  identity: identityId,
  credential: z.string(),
  spkiHash: z.string(),
  instance: z.string(),
  startedAt: instant,
  attempt,
  finishedAt: instant.nullable(),
});

const due: z.ZodType<DueRow> = z.object({
  v,
  key: z.string(),
  identity: identityId,
  kind,
  dueAt: instant,
  expiresAt: instant.nullable(),
  isReminder: z.boolean().default(false),
});

const revocation: z.ZodType<CertificateRevocation> = z.object({
  v,
  identity: identityId,
  instance: z.string(),
  serialNumber: z.string(),
  spkiHash: z.string(),
  authorityId: z.string(),
  notAfter: instant,
  revokedAt: instant,
  reason: z.enum(REVOCATION_REASONS),
});

const owner: z.ZodType<Owner> = z.object({ identity: identityId, instance: z.string() });

/** An event that waits to be sealed; `identity.cluster` names its chain. Rows of the first version knew no count. */
const event: z.ZodType<AuditEvent & { readonly identity: IdentityId }> = z.object({
  v,
  id: z.string(),
  time: instant,
  // A later program may know types that this one does not: they are sealed like any other.
  type: z.custom<EventType>((value) => typeof value === 'string'),
  outcome: z.enum(['success', 'denied', 'failed']),
  reason: z.string().nullable(),
  count: z.int().default(1),
  actor: z.object({
    kind: z.enum(['agent', 'operator', 'timer', 'anonymous']),
    id: z.string().nullable(),
    source: z.string().nullable(),
  }),
  target: z.object({
    cluster: z.string().nullable(),
    name: z.string().nullable(),
    serialNumber: z.string().nullable(),
    authorityId: z.string().nullable(),
  }),
  correlationId: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  identity: identityId,
});

const gate: z.ZodType<ClusterGate> = z.object({
  v,
  cluster: z.string(),
  slot: z.int(),
  state: z.enum(['Open', 'Closed']),
  epoch: z.int(),
});

const note: z.ZodType<ListingNote> = z.object({
  v,
  id: z.string(),
  at: instant,
  revoked: z
    .object({
      identity: identityId,
      instance: z.string().nullable(),
      serialNumber: z.string().nullable(),
      invalidityDate: instant.nullable(),
    })
    .nullable(),
  ruled: z
    .object({
      ruleId: z.string(),
      clientType: z.enum(CLIENT_TYPES).nullable(),
      cluster: z.string().nullable(),
    })
    .nullable(),
});

export const recordCodecs = {
  identity: rowCodec('identity', identity),
  token: rowCodec('token', token),
  certificate: rowCodec('certificate', certificate),
  instance: rowCodec('instance', instance),
  issuance: rowCodec('issuance', issuance),
  due: rowCodec('due', due),
  revocation: rowCodec('revocation', revocation),
  owner: rowCodec('owner', owner),
  event: rowCodec('event', event),
  gate: rowCodec('gate', gate),
  note: rowCodec('note for the revocation lists', note),
};
