import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import type { Authority, FinishedAuthority } from '../domain/authority.ts';
import type { AckTally } from '../domain/authority-census.ts';
import type { RollStep } from '../domain/authority-plan.ts';
import { toInstant } from '../domain/instants.ts';
import type { AffectedIdentity } from '../use-cases/affected-identities.ts';
import type { Deps } from '../use-cases/deps.ts';
import { describeAuthority } from '../use-cases/describe-authority.ts';
import type { AuthoritiesView, AuthorityView } from '../use-cases/list-authorities.ts';
import type { DryRun, Roll } from '../use-cases/manage-authorities.ts';
import type { CrlInfo } from '../use-cases/read-crl.ts';
import { readLimit, readOffset } from './query.ts';

/** A body of a step that can be tried. */
export const dryRunBody = z.strictObject({ dryRun: z.boolean().default(false) });
/** A body of a step that something can be in the way of. */
export const forceBody = dryRunBody.extend({ force: z.boolean().default(false) });
/** Why an authority counts as compromised: a line of text that ends up in the audit log. */
export const taintBody = dryRunBody.extend({
  reason: z.string().regex(/^[^\p{C}]{1,256}$/u, 'is a line of 1 to 256 printable characters'),
});

const orNull = (date: Date | null) => (date === null ? null : toInstant(date));

/** The body of `GET /api/authorities`. */
export function authoritiesJson({ status, bundleId, items }: AuthoritiesView, waveSize: number) {
  return { status, bundleId, items: items.map((item) => viewJson(item, waveSize)) };
}

function viewJson({ authority, census, blockedBy, crl, ...dates }: AuthorityView, waveSize: number) {
  const ended = authority.revokedAt ?? authority.retiredAt ?? authority.issuedAt;
  return {
    ...authorityJson(authority, waveSize),
    prepareAt: orNull(dates.prepareAt),
    activateBy: orNull(dates.activateBy),
    retireAt: orNull(dates.retireAt),
    leaves: {
      live: census?.leaves.live ?? 0,
      latestNotAfter: orNull(census?.leaves.latestNotAfter ?? null),
      asOf: toInstant(census?.asOf ?? ended),
    },
    acknowledgements: {
      verifiers: ackJson(census?.verifiers),
      agents: ackJson(census?.agents),
    },
    crl: crl === null ? null : crlJson(crl),
    blockedBy,
  };
}

function crlJson({ number, thisUpdate, nextUpdate, entries, url }: CrlInfo) {
  return { number, thisUpdate: toInstant(thisUpdate), nextUpdate: toInstant(nextUpdate), entries, url };
}

function ackJson(tally: AckTally | undefined) {
  const { total = 0, acknowledged = 0, missing = [] } = tally ?? {};
  return {
    total,
    acknowledged,
    missing: missing.map(({ cluster, name, lastSeenAt }) => ({
      cluster,
      name,
      lastSeenAt: orNull(lastSeenAt),
    })),
  };
}

/** An authority by itself: what a step answers with. */
export function authorityJson(authority: FinishedAuthority, waveSize: number) {
  const { subjectKeyId, sha256, pem, crosses } = describeAuthority(authority);
  const { taint } = authority;
  return {
    id: authority.id,
    state: authority.state,
    subject: `CN=${authority.commonName}`,
    keyType: authority.keyType,
    serialNumber: authority.serialNumber,
    subjectKeyId,
    sha256,
    notBefore: toInstant(authority.notBefore),
    notAfter: toInstant(authority.notAfter),
    certificate: pem,
    crossCertificates: crosses.map(({ issuerId, pem: certificate, notAfter }) => ({
      issuerId,
      certificate,
      notAfter: toInstant(notAfter),
    })),
    predecessorId: authority.predecessorId,
    publishedAt: orNull(authority.publishedAt),
    activatedAt: orNull(authority.activatedAt),
    retiringAt: orNull(authority.retiringAt),
    retiredAt: orNull(authority.retiredAt),
    taintedAt: orNull(authority.taintedAt),
    revokedAt: orNull(authority.revokedAt),
    taint:
      taint === null
        ? null
        : {
            reason: taint.reason,
            requestedBy: taint.requestedBy,
            pausedAt: orNull(taint.pausedAt),
            operation: taint.operationId,
            waves: taint.waves,
            waveSize,
            waveAt: orNull(taint.waveAt),
            asked: taint.waveTo,
            sweptAt: orNull(taint.sweptAt),
          },
  };
}

/** The answer to a step by hand: the authority as it is now. One that was given up unfinished has nothing to show. */
export function answerAuthority({ policy }: Pick<Deps, 'policy'>, authority: Authority): HttpResponseInit {
  return isShown(authority) ? { jsonBody: authorityJson(authority, policy.taintWaveSize) } : { status: 204 };
}

function isShown(authority: Authority): authority is FinishedAuthority {
  return authority.certificate !== null && authority.keyId !== null;
}

/** What a dry run of a step answers: what is in its way, and one page of those whom it affects. */
export function dryRunJson(
  request: HttpRequest,
  { authority, blockedBy, affected }: DryRun,
  waveSize: number,
) {
  const [offset, limit] = [readOffset(request), readLimit(request)];
  const end = offset + limit;
  const inVault = affected.filter(({ delivery }) => delivery === 'vault').length;
  return {
    dryRun: true,
    authorityId: authority.id,
    state: authority.state,
    blockedBy,
    counts: {
      total: affected.length,
      vault: inVault,
      agent: affected.length - inVault,
      waves: Math.ceil(affected.length / waveSize),
    },
    affected: affected.slice(offset, end).map(affectedJson),
    nextCursor: end < affected.length ? String(end) : null,
  };
}

function affectedJson({ cluster, name, clientType, delivery, lastSeenAt }: AffectedIdentity) {
  return { cluster, name, clientType, delivery, lastSeenAt: orNull(lastSeenAt) };
}

/** The body of the answer to `POST /api/authorities/roll`. */
export function rollJson({ done, left }: Roll, isDryRun: boolean) {
  return {
    dryRun: isDryRun,
    done: done.map(({ action, authorityId }) => ({ action, authorityId })),
    left: left.map(stepJson),
  };
}

function stepJson({ action, authorityId, becauseOf, dueAt, deadline, reason, blockedBy }: RollStep) {
  const dates = { dueAt: toInstant(dueAt), deadline: orNull(deadline) };
  return { action, authorityId, becauseOf, ...dates, reason, blockedBy };
}
