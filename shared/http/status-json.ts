import type { Failure, Identity } from '../domain/identity.ts';
import { toInstant, wholeSecond } from '../domain/instants.ts';
import type { Status } from '../use-cases/get-status.ts';
import type { IdentityStatus } from '../use-cases/judge-identity.ts';
import { headJson, orNull } from './identity-json.ts';

/** The body of `GET /api/status`. */
export function statusJson(status: Status) {
  return {
    now: toInstant(status.now),
    version: status.version,
    overall: status.overall,
    reasons: status.reasons,
    totals: { ...status.totals, asOf: toInstant(status.totals.asOf) },
    timers: status.timers.map((timer) => ({
      ...timer,
      lastStartedAt: orNull(timer.lastStartedAt),
      lastSuccessAt: orNull(timer.lastSuccessAt),
      nextAt: toInstant(timer.nextAt),
    })),
    queue: status.queue,
    authority: {
      ...status.authority,
      notAfter: orNull(status.authority.notAfter),
    },
    identities: status.identities.map((one) => identityJson(one, status.now)),
    nextCursor: status.nextCursor,
  };
}

function identityJson(one: IdentityStatus, now: Date) {
  const { identity, certificate, state, nextStep, offlineDays, recovery, instances, bundle } = one;
  return {
    cluster: identity.cluster,
    name: identity.name,
    clientType: identity.clientType,
    delivery: identity.delivery,
    autoRotate: identity.autoRotate,
    state,
    nextStep,
    certificate: certificate === null ? null : certificateJson(certificate),
    token: tokenJson(identity, now),
    offlineDays,
    recovery: { left: recovery.left, until: orNull(recovery.until) },
    instances,
    lastSeenAt: orNull(identity.lastSeenAt),
    lastSuccessAt: orNull(latest(identity.certificate.lastSuccessAt, identity.token.lastSuccessAt)),
    lastFailure: failureJson(identity),
    bundle,
  };
}

function certificateJson(head: NonNullable<IdentityStatus['certificate']>) {
  return { ...headJson(head), provenAt: orNull(head.provenAt) };
}

function tokenJson({ token }: Identity, now: Date) {
  return {
    id: token.id,
    expiresAt: toInstant(token.expiresAt),
    rotateAfter: toInstant(token.rotateAfter),
    successorPending:
      token.usedGeneration < token.generation &&
      token.predecessorExpiresAt !== null &&
      token.predecessorExpiresAt >= wholeSecond(now),
  };
}

function failureJson(identity: Identity) {
  const failures = [identity.certificate.failure, identity.token.failure].filter((found) => found !== null);
  const last = failures.reduce<Failure | null>((a, b) => (a === null || b.at > a.at ? b : a), null);
  if (last === null) return null;
  return {
    at: toInstant(last.at),
    code: last.code,
    attempts: last.attempts,
    retryAt: toInstant(last.retryAt),
  };
}

function latest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}
