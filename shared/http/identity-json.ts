import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import { EverleafError } from '../domain/errors.ts';
import {
  type CertificateHead,
  CLIENT_TYPES,
  type ClientTemplate,
  type Identity,
  type IdentityWishes,
} from '../domain/identity.ts';
import type { Instance } from '../domain/instance.ts';
import { toInstant, wholeSecond } from '../domain/instants.ts';
import { checkIdentityId, type IdentityId, isClusterName, isIdentityName } from '../domain/names.ts';
import type { Deps } from '../use-cases/deps.ts';
import { identityTag } from '../use-cases/live-identity.ts';
import { etagHeader } from './etag.ts';

const wishes = {
  autoRotate: z.boolean().optional(),
  tokenExpiryInSeconds: z.number().optional(),
  tokenMaxUses: z.number().nullable().optional(),
  dnsNames: z.array(z.string()).optional(),
};

/** The body of a new identity. */
export const newIdentityBody = z.strictObject({
  name: z.string(),
  clientType: z.enum(CLIENT_TYPES),
  delivery: z.enum(['vault', 'agent']).default('agent'),
  credentials: z.enum(['cloud', 'kubelet']).default('cloud'),
  ...wishes,
});

/** The body of a change: only what is named in it changes. Client type and delivery stay as they were made. */
export const identityChangeBody = z.strictObject(wishes);

type Wished = z.infer<typeof identityChangeBody>;

/** What a body wishes, without the fields that it leaves out. */
export function wishesOf({
  autoRotate,
  tokenExpiryInSeconds,
  tokenMaxUses,
  dnsNames,
}: Wished): IdentityWishes {
  return {
    ...(autoRotate === undefined ? {} : { autoRotate }),
    ...(tokenExpiryInSeconds === undefined ? {} : { tokenExpiryInSeconds }),
    ...(tokenMaxUses === undefined ? {} : { tokenMaxUses }),
    ...(dnsNames === undefined ? {} : { dnsNames }),
  };
}

export function templateOf(body: z.infer<typeof newIdentityBody>): ClientTemplate {
  const { name, clientType, delivery, credentials } = body;
  return { name, clientType, delivery, credentials };
}

/** The cluster that a route names. @throws EverleafError InvalidInput */
export function clusterOf({ params }: Pick<HttpRequest, 'params'>): string {
  const cluster = params['cluster'] ?? '';
  if (!isClusterName(cluster)) {
    throw new EverleafError(
      'InvalidInput',
      'The path names no cluster: 1 to 32 of a-z, 0-9 and single hyphens.',
    );
  }
  return cluster;
}

/** The identity that a route names. @throws EverleafError InvalidInput */
export function identityIdOf({ params }: Pick<HttpRequest, 'params'>): IdentityId {
  const id = { cluster: params['cluster'] ?? '', name: params['name'] ?? '' };
  checkIdentityId(id);
  return id;
}

/** The name that a page of identities begins after. @throws EverleafError InvalidInput */
export function readNameCursor(request: HttpRequest): string | null {
  const cursor = request.query.get('cursor');
  if (cursor === null || isIdentityName(cursor)) return cursor;
  throw new EverleafError('InvalidInput', 'cursor is not one that a page gave.');
}

export const orNull = (date: Date | null): string | null => (date === null ? null : toInstant(date));

/** An identity, with the cloud agent's own names of fields where it has one. How it fares, `GET /api/status` tells. */
export function identityJson(identity: Identity) {
  const { certificate, token } = identity;
  return {
    cluster: identity.cluster,
    name: identity.name,
    clientType: identity.clientType,
    delivery: identity.delivery,
    credentials: identity.credentials,
    autoRotate: identity.autoRotate,
    revoked: identity.revokedAt !== null,
    revokedAt: orNull(identity.revokedAt),
    revocationReason: identity.revocationReason,
    tokenExpiryInSeconds: identity.tokenExpiryInSeconds,
    tokenMaxUses: identity.tokenMaxUses,
    dnsNames: identity.dnsNames,
    createdAt: toInstant(identity.createdAt),
    incarnation: identity.incarnation,
    lastSeenAt: orNull(identity.lastSeenAt),
    certificate: certificate.head === null ? null : headJson(certificate.head),
    token: {
      id: token.id,
      generation: token.generation,
      expiresAt: toInstant(token.expiresAt),
      rotateAfter: toInstant(token.rotateAfter),
      isUsed: token.usedGeneration >= token.generation,
    },
  };
}

/** An answer with one identity and its entity tag. */
export function answerIdentity(deps: Pick<Deps, 'digest'>, identity: Identity): HttpResponseInit {
  return { headers: { etag: tagOf(deps, identity) }, jsonBody: identityJson(identity) };
}

export function tagOf(deps: Pick<Deps, 'digest'>, identity: Identity): string {
  return etagHeader(identityTag(deps, identity));
}

/** One line of an identity's certificates. */
export function instanceJson(line: Instance, now: Date) {
  const isAlive = line.head.notAfter >= wholeSecond(now);
  return {
    id: line.id,
    startedAt: toInstant(line.startedAt),
    live: isAlive && line.revokedAt === null && line.lockedAt === null,
    locked: line.lockedAt !== null,
    lockedAt: orNull(line.lockedAt),
    revoked: line.revokedAt !== null,
    revokedAt: orNull(line.revokedAt),
    revocationReason: line.revocationReason,
    certificate: { ...headJson(line.head), provenAt: orNull(line.provenAt) },
    successor: line.successor === null ? null : headJson(line.successor),
    recoveriesUsed: line.recoveriesUsed,
    lastSeenAt: orNull(line.lastSeenAt),
    bundleId: line.bundleId,
  };
}

export function headJson(head: CertificateHead) {
  return {
    serialNumber: head.serialNumber,
    notBefore: toInstant(head.notBefore),
    notAfter: toInstant(head.notAfter),
    renewAfter: toInstant(head.renewAfter),
    renewCount: head.renewCount,
    authorityId: head.authorityId,
    vaultVersion: head.vaultVersion,
  };
}
