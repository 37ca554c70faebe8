import { z } from 'zod';
import { CLIENT_TYPES } from '../domain/identity.ts';
import { toInstant } from '../domain/instants.ts';
import { REVOCATION_REASONS, type RevocationCriteria, type RevocationRule } from '../domain/revocation.ts';
import type { Revocation } from '../use-cases/revoke.ts';

const reason = z.enum(REVOCATION_REASONS).default('unspecified');

/** What is to be revoked of an identity: one of its lines, one of its certificates, or, without either, all of it. */
export const revokeBody = z
  .strictObject({
    reason,
    instance: z
      .string()
      .regex(/^[0-9a-f]{32}$/, 'not the id of an instance')
      .optional(),
    serialNumber: z
      .string()
      .toLowerCase()
      .regex(/^(?:[0-9a-f]{2}){1,21}$/, 'not a serial number in hexadecimal')
      // Other tools show the sign octet of DER, which the record's form leaves out.
      .transform((text) => text.replace(/^(?:00)+(?=..)/, ''))
      .optional(),
    invalidityDate: z.iso
      .datetime()
      .transform((text) => new Date(text))
      .optional(),
  })
  .refine((body) => body.instance === undefined || body.serialNumber === undefined, {
    message: 'name an instance or a serial number, not both',
  });

/** The body of a new rule; whatever is left out matches everything. */
export const ruleBody = z.strictObject({
  clientType: z.enum(CLIENT_TYPES).optional(),
  cluster: z.string().optional(),
  dnsName: z.string().optional(),
  issuedBefore: z.iso
    .datetime()
    .transform((text) => new Date(text))
    .optional(),
  reason,
});

export function criteriaOf(body: z.infer<typeof ruleBody>): RevocationCriteria {
  return {
    clientType: body.clientType ?? null,
    cluster: body.cluster ?? null,
    dnsName: body.dnsName ?? null,
    issuedBefore: body.issuedBefore ?? null,
  };
}

export function revocationJson({ identity, instance, serialNumber, revokedAt, reason: why }: Revocation) {
  const { cluster, name } = identity;
  return { cluster, name, instance, serialNumber, revokedAt: toInstant(revokedAt), reason: why };
}

export function ruleJson({ v: _, issuedBefore, createdAt, ...rule }: RevocationRule) {
  return {
    ...rule,
    issuedBefore: issuedBefore === null ? null : toInstant(issuedBefore),
    createdAt: toInstant(createdAt),
  };
}
